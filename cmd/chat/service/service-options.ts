/** How to reach the service. */
export interface ServiceOptions {
  transport: 'grpc' | 'ws';
  /** `host:port`; for `ws` also a URL. */
  address: string;
  /** Absent: plain text. The files are PEM. */
  tls: { ca: string | undefined; cert: string | undefined; key: string | undefined } | undefined;
  /** Where sessions are kept. */
  sessionFile: string;
  /** What a session there is kept under: a token that was given by TLS never goes out in plain text. */
  sessionKey: string;
}
