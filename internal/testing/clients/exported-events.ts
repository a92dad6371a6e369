import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

export interface StoredEvent {
  subject: string;
  /** `message` or `chat_deleted`. */
  event: string;
  contentType: string;
  /** The number of the change; NaN for `chat_deleted`. */
  seq: number;
  body: Uint8Array;
}

/** Reads all events in a JetStream stream, in its order. */
export async function readExported(url: string, stream = 'CHAT_EVENTS'): Promise<StoredEvent[]> {
  let connection: NatsConnection | undefined;
  try {
    connection = await connect({ servers: new URL(url).host, timeout: 2_000, reconnect: false });
    const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.All });
    const { num_pending: count } = await consumer.info();
    const events: StoredEvent[] = [];
    if (count === 0) return events;
    for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
      events.push({
        subject: message.subject,
        event: message.headers?.get('event') ?? '',
        contentType: message.headers?.get('content-type') ?? '',
        seq: Number(message.headers?.get('Nats-Msg-Id').split(':')[1]),
        body: message.data,
      });
      if (events.length === count) break;
    }
    return events;
  } finally {
    await connection?.close();
  }
}
