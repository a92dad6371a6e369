import { connect, type Subscription } from '@nats-io/transport-node';
import { type NatsOptions, serverOptions } from '../nats/server-options.ts';
import type { Link, OpenLink } from './link.ts';

export interface NatsLinkOptions extends NatsOptions {
  /** The first word of every subject. */
  prefix: string;
  /** The longest time to connect, in milliseconds. */
  timeoutMs: number;
}

/** Connects to core NATS, with one subject per topic. The server does not echo this connection's own messages. */
export function natsLink({ prefix, timeoutMs, ...server }: NatsLinkOptions): OpenLink {
  return async ({ onMessage, onRefusal }) => {
    const connection = await connect({
      ...serverOptions(server),
      name: 'chat-service bus',
      noEcho: true,
      // ReconnectingLink reconnects and pings.
      reconnect: false,
      ignoreClusterUpdates: true,
      timeout: timeoutMs,
      noAsyncTraces: true,
    });
    const subscriptions = new Map<string, Subscription>();
    const lead = `${prefix}.`;
    const refusals = async () => {
      for await (const status of connection.status()) if (status.type === 'error') onRefusal(status.error);
    };
    refusals().catch(onRefusal);
    const link: Link = {
      maxBytes: (connection.info?.max_payload ?? 1_048_576) - lead.length,
      async send(messages) {
        for (const { topic, bytes } of messages) connection.publish(lead + topic, bytes);
        await connection.flush();
      },
      async subscribe(topics) {
        for (const topic of topics) {
          if (subscriptions.has(topic)) continue;
          const callback = (error: Error | null, { data }: { data: Uint8Array }) => {
            if (!error) onMessage(topic, data);
          };
          subscriptions.set(topic, connection.subscribe(lead + topic, { callback }));
        }
        await connection.flush();
      },
      async unsubscribe(topics) {
        for (const topic of topics) {
          subscriptions.get(topic)?.unsubscribe();
          subscriptions.delete(topic);
        }
      },
      ping: () => connection.flush(),
      broken: connection.closed().then((error) => error ?? new Error('the connection was closed')),
      destroy: () => void connection.close().catch(() => {}),
    };
    return link;
  };
}
