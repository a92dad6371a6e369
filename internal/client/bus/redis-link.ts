import { Redis, type RedisOptions } from 'ioredis';
import type { Link, LinkEvents, OpenLink } from './link.ts';

export interface RedisLinkOptions {
  /** `redis://` or `rediss://`, with user and password. */
  url: string;
  /** The certificate authorities for `rediss://`, in PEM; absent: the system's. */
  ca?: string | undefined;
  /** The first word of every channel. */
  prefix: string;
  /** The longest time to connect, in milliseconds. */
  timeoutMs: number;
}

/** The longest message, in bytes. Redis takes up to 512 MiB, but disconnects a subscriber that is more than 8 MiB behind for a minute. */
const maxBytes = 1_048_576;

/**
 * Connects to Redis, with one channel per topic: a sharded channel on a standalone server from version 7.0 on, else a plain channel. In a cluster,
 * plain channels reach subscribers on every node, whichever node a message is published to.
 */
export function redisLink({ prefix, ...options }: RedisLinkOptions): OpenLink {
  return async (events) => {
    const [publisher, subscriber] = [open(options), open(options)];
    const destroy = () => {
      for (const redis of [publisher, subscriber]) redis.disconnect();
    };
    const broken = Promise.race([brokenOf(publisher), brokenOf(subscriber)]);
    try {
      await Promise.all([publisher.connect(), subscriber.connect()]);
      const sharded = await hasShardedChannels(publisher);
      return createLink({ publisher, subscriber, sharded, lead: `${prefix}.`, events, broken, destroy });
    } catch (error) {
      destroy();
      // `broken` has the reason; the library's own error says only that the connection is closed.
      throw (await Promise.race([broken, undefined])) ?? withoutCommand(error);
    }
  };
}

interface Parts {
  publisher: Redis;
  subscriber: Redis;
  sharded: boolean;
  lead: string;
  events: LinkEvents;
  broken: Promise<unknown>;
  destroy: () => void;
}

function createLink({ publisher, subscriber, sharded, lead, events, broken, destroy }: Parts): Link {
  subscriber.on(sharded ? 'smessageBuffer' : 'messageBuffer', (channel: Buffer, bytes: Buffer) => {
    events.onMessage(channel.toString().slice(lead.length), bytes);
  });
  const channelsOf = (topics: readonly string[]) => topics.map((topic) => lead + topic);
  return {
    maxBytes,
    async send(messages) {
      const pipeline = publisher.pipeline();
      for (const { topic, bytes } of messages) {
        const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        if (sharded) pipeline.spublish(lead + topic, body);
        else pipeline.publish(lead + topic, body);
      }
      const failed = (await pipeline.exec())?.find(([error]) => error);
      if (failed) events.onRefusal(withoutCommand(failed[0]));
    },
    async subscribe(topics) {
      if (topics.length === 0) return;
      if (sharded) await subscriber.ssubscribe(...channelsOf(topics));
      else await subscriber.subscribe(...channelsOf(topics));
    },
    async unsubscribe(topics) {
      if (sharded) await subscriber.sunsubscribe(...channelsOf(topics));
      else await subscriber.unsubscribe(...channelsOf(topics));
    },
    async ping() {
      await Promise.all([publisher.ping(), subscriber.ping()]);
    },
    broken,
    destroy,
  };
}

function open({ url, ca, timeoutMs }: Omit<RedisLinkOptions, 'prefix'>): Redis {
  const options: RedisOptions = {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    connectionName: 'chat-service-bus',
    // ReconnectingLink reconnects and pings.
    retryStrategy: () => null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    ...(ca !== undefined && { tls: { ca } }),
  };
  return new Redis(url, options);
}

/** Resolves with the reason when the connection has ended. */
function brokenOf(redis: Redis): Promise<unknown> {
  return new Promise((resolve) => {
    let reason: unknown = new Error('the connection was closed');
    redis.on('error', (error) => {
      reason = withoutCommand(error);
    });
    redis.once('end', () => resolve(reason));
  });
}

/** Removes the command that the library adds to errors: it may contain the password. */
function withoutCommand(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) delete error.command;
  return error;
}

async function hasShardedChannels(redis: Redis): Promise<boolean> {
  const info = await redis.info('server').catch(() => '');
  const major = Number(/^redis_version:(\d+)/m.exec(info)?.[1] ?? 0);
  return major >= 7 && /^redis_mode:standalone/m.test(info);
}
