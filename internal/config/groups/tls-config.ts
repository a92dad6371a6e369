import type { EnvReader } from '../reading/env-reader.ts';

/** The certificate of a server. All are names of files in PEM. */
export interface TlsConfig {
  cert: string;
  key: string;
  /** Clients must show a certificate that one of these authorities has signed. Absent: clients need none. */
  clientCa: string | undefined;
  /** The settings that have named the files. */
  settings: TlsSettings;
}

/** The names of settings. */
export interface TlsSettings {
  cert: string;
  key: string;
  clientCa: string;
}

/** Those of the service's own certificate, for gRPC and HTTP. */
const serviceSettings: TlsSettings = { cert: 'TLS_CERT', key: 'TLS_KEY', clientCa: 'TLS_CLIENT_CA' };

/** Undefined: plain text. */
export function readTls(read: EnvReader, settings = serviceSettings): TlsConfig | undefined {
  const cert = read.optional(settings.cert);
  const key = read.optional(settings.key);
  const clientCa = read.optional(settings.clientCa);
  read.require(
    (cert === undefined) === (key === undefined),
    `${settings.cert} and ${settings.key} must be set together`,
  );
  read.require(!clientCa || cert !== undefined, `${settings.clientCa} needs ${settings.cert} and ${settings.key}`);
  return cert && key ? { cert, key, clientCa, settings } : undefined;
}
