/** How to reach the service. */
export interface ServiceOptions {
  transport: 'grpc' | 'ws';
  /** `host:port`; for `ws` also a URL. */
  address: string;
  /** Absent: plain text. The files are PEM. */
  tls: { ca: string | undefined; cert: string | undefined; key: string | undefined } | undefined;
  /** The file that stores sessions. */
  sessionFile: string;
  /** The key of the session in that file. It differs with and without TLS, so that a token received over TLS is never sent in plain text. */
  sessionKey: string;
}
