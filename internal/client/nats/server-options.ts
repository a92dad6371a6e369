import type { NodeConnectionOptions } from '@nats-io/transport-node';

export interface NatsOptions {
  /** `nats://` or `tls://`, with a user and password, or with a token as the user. */
  url: string;
  /** Certificate authorities for `tls://`, in PEM. Absent: those of the system. */
  ca?: string | undefined;
}

/** The options of a connection: the server, the credentials and the certificate authorities. */
export function serverOptions({ url, ca }: NatsOptions): NodeConnectionOptions & { servers: string } {
  const { protocol, host, username, password } = new URL(url);
  const user = decodeURIComponent(username);
  return {
    servers: host,
    ...(user && (password ? { user, pass: decodeURIComponent(password) } : { token: user })),
    ...(protocol === 'tls:' && { tls: ca === undefined ? {} : { ca } }),
  };
}
