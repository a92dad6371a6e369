import { connect, type NatsConnection } from '@nats-io/transport-node';

export interface NatsOptions {
  /** `nats://` or `tls://`, with user and password, or with a token in the user's place. */
  url: string;
  /** Authorities for `tls://`, PEM; absent: the system's. */
  ca?: string | undefined;
}

/**
 * Connects to NATS and stays connected: a connection that breaks is made again for as long as it takes. Throws an error with a clear
 * message if the first attempt fails.
 */
export async function connectNats({ url, ca }: NatsOptions, name: string): Promise<NatsConnection> {
  const { protocol, host, username, password } = new URL(url);
  const user = decodeURIComponent(username);
  try {
    return await connect({
      servers: host,
      name,
      ...(user && (password ? { user, pass: decodeURIComponent(password) } : { token: user })),
      ...(protocol === 'tls:' && { tls: ca === undefined ? {} : { ca } }),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 100,
      // A server that has gone silent is given up after two of these.
      pingInterval: 2_000,
      maxPingOut: 2,
      timeout: 5_000,
      noAsyncTraces: true,
    });
  } catch (cause) {
    throw new Error(`cannot connect to NATS at ${host}: ${(cause as Error).message}`, { cause });
  }
}
