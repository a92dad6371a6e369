import { Redis } from 'ioredis';
import { Backoff } from '../../../pkg/backoff/backoff.ts';

export type RedisClient = Redis;

export interface RedisAddress {
  url: string;
  /** The authorities that count for TLS; absent: the system's. */
  ca?: string | undefined;
}

/**
 * A connection that is made, and made again after a loss, by itself; `redis:` or `rediss:`. Whoever uses it meanwhile gets an error at
 * once, and one second after a server has fallen silent: nothing is queued or sent twice. `onError` is told of every failure to connect.
 */
export function createRedisClient({ url, ca }: RedisAddress, onError: (error: Error) => void): RedisClient {
  const pauses = new Backoff({ firstMs: 50, maxMs: 1_000, jitter: 'equal' });
  const client = new Redis(url, {
    ...(ca !== undefined && { tls: { ca } }),
    connectionName: 'chat-service',
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    socketTimeout: 1_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => pauses.next(),
  });
  client.on('ready', () => pauses.reset());
  // Without a listener it would write each one to the console.
  client.on('error', (error: Error & { command?: unknown }) => {
    // Of a login that was refused it is the password.
    delete error.command;
    onError(error);
  });
  return client;
}

/** Resolves when the connection is ready, or cannot be had within the time. */
export async function whenReady(client: RedisClient, timeoutMs: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      client.off('ready', end);
      resolve(client.status === 'ready');
    };
    const timer = setTimeout(end, timeoutMs);
    client.once('ready', end);
  });
}
