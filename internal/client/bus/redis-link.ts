import { Redis, type RedisOptions } from 'ioredis';
import type { Link, LinkEvents, OpenLink } from './link.ts';

export interface RedisLinkOptions {
  /** `redis://` or `rediss://`, with user and password. */
  url: string;
  /** Authorities for `rediss://`, PEM; absent: the system's. */
  ca?: string | undefined;
  /** The first word of every channel. */
  prefix: string;
  timeoutMs: number;
}

/** Redis holds a publication of up to 512 MiB, but drops a reader that is 8 MiB behind for long. */
const maxBytes = 1_048_576;

/**
 * A Redis channel for each topic, a sharded one where the server knows these (7.0 and newer). In a cluster it is a plain one:
 * these reach every node of it by whichever node they are published and read.
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
      // What the library says itself is only that the connection is closed.
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
    events.onParcel(channel.toString().slice(lead.length), bytes);
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
    // Whoever holds the connection makes the next one, and asks whether this one lives.
    retryStrategy: () => null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    ...(ca !== undefined && { tls: { ca } }),
  };
  return new Redis(url, options);
}

/** Resolves with the reason when the connection has come to its end. */
function brokenOf(redis: Redis): Promise<unknown> {
  return new Promise((resolve) => {
    let reason: unknown = new Error('the connection was closed');
    redis.on('error', (error) => {
      reason = withoutCommand(error);
    });
    redis.once('end', () => resolve(reason));
  });
}

/** The library adds the command, which may hold the password. */
function withoutCommand(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) delete error.command;
  return error;
}

async function hasShardedChannels(redis: Redis): Promise<boolean> {
  const info = await redis.info('server').catch(() => '');
  const major = Number(/^redis_version:(\d+)/m.exec(info)?.[1] ?? 0);
  return major >= 7 && /^redis_mode:standalone/m.test(info);
}
