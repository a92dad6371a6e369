import type { NodeConnectionOptions } from '@nats-io/transport-node';

export interface NatsOptions {
  /** `nats://` or `tls://`, with user and password, or with a token in the user's place. */
  url: string;
  /** Authorities for `tls://`, PEM; absent: the system's. */
  ca?: string | undefined;
}

/** Which server to connect to, as whom, and whom to believe. */
export function serverOptions({ url, ca }: NatsOptions): NodeConnectionOptions & { servers: string } {
  const { protocol, host, username, password } = new URL(url);
  const user = decodeURIComponent(username);
  return {
    servers: host,
    ...(user && (password ? { user, pass: decodeURIComponent(password) } : { token: user })),
    ...(protocol === 'tls:' && { tls: ca === undefined ? {} : { ca } }),
  };
}
