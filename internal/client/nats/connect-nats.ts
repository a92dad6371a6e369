import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsOptions, serverOptions } from './server-options.ts';

/**
 * Connects to NATS and stays connected: a connection that breaks is made again for as long as it takes, also while the server refuses the
 * credentials. Throws an error with a clear message if the first attempt fails.
 */
export async function connectNats(options: NatsOptions, name: string): Promise<NatsConnection> {
  const server = serverOptions(options);
  try {
    return await connect({
      ...server,
      name,
      maxReconnectAttempts: -1,
      // Credentials may be wrong for a moment, while they are being changed.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 200,
      reconnectJitter: 100,
      // A server that has gone silent is given up after two of these.
      pingInterval: 2_000,
      maxPingOut: 2,
      timeout: 5_000,
      noAsyncTraces: true,
    });
  } catch (cause) {
    throw new Error(`cannot connect to NATS at ${server.servers}: ${(cause as Error).message}`, { cause });
  }
}
