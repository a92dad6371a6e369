import type { EnvReader } from '../reading/env-reader.ts';

/** The service's own certificate, for gRPC and HTTP. All are names of files in PEM. */
export interface TlsConfig {
  cert: string;
  key: string;
  /** Clients must show a certificate that one of these authorities has signed. Absent: clients need none. */
  clientCa: string | undefined;
}

/** Undefined: plain text. */
export function readTls(read: EnvReader): TlsConfig | undefined {
  const cert = read.optional('TLS_CERT');
  const key = read.optional('TLS_KEY');
  const clientCa = read.optional('TLS_CLIENT_CA');
  read.require((cert === undefined) === (key === undefined), 'TLS_CERT and TLS_KEY must be set together');
  read.require(!clientCa || cert !== undefined, 'TLS_CLIENT_CA needs TLS_CERT and TLS_KEY');
  return cert && key ? { cert, key, clientCa } : undefined;
}
