import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsOptions, serverOptions } from './server-options.ts';

/**
 * Connects to NATS, and reconnects without end when the connection breaks, even while the server refuses the credentials. `name` is what the server
 * shows for the connection. Throws an error that names the server if the first attempt fails.
 */
export async function connectNats(options: NatsOptions, name: string): Promise<NatsConnection> {
  const server = serverOptions(options);
  try {
    return await connect({
      ...server,
      name,
      maxReconnectAttempts: -1,
      // An operator who changes the credentials may change those of the server first.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 200,
      reconnectJitter: 100,
      // Milliseconds. After two pings without an answer the client reconnects.
      pingInterval: 2_000,
      maxPingOut: 2,
      timeout: 5_000,
      noAsyncTraces: true,
    });
  } catch (cause) {
    throw new Error(`cannot connect to NATS at ${server.servers}: ${(cause as Error).message}`, { cause });
  }
}
