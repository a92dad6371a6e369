import { Redis } from 'ioredis';
import { Backoff } from '../../../pkg/backoff/backoff.ts';

export type RedisClient = Redis;

export interface RedisAddress {
  url: string;
  /** The certificate authorities for TLS, in PEM; absent: the system's. */
  ca?: string | undefined;
}

/**
 * Creates a client that connects, and reconnects after a loss, on its own; `redis:` or `rediss:`. A command fails at once while there is no connection,
 * and after one second if the server is silent; none is queued or sent twice. Calls `onError` for every failure of the connection.
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
  // Without a listener, ioredis writes each error to the console.
  client.on('error', (error: Error & { command?: unknown }) => {
    // The command of a refused login contains the password.
    delete error.command;
    onError(error);
  });
  return client;
}

/** Waits until the client is connected. Resolves with false after `timeoutMs`. */
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
