import { isIP } from 'node:net';
import type { EnvReader } from './env-reader.ts';

export interface HttpConfig {
  /** Whether the gateway runs in this process. */
  enabled: boolean;
  port: number;
  /** Where clients reach the gateway from outside, without a slash at the end. */
  publicUrl: string;
  /** Proxies whose X-Forwarded-For is believed: addresses, networks, or the words loopback, linklocal, uniquelocal. */
  trustedProxies: string[];
  /** Origins whose pages may call the gateway; `*`: any, without credentials. */
  corsOrigins: string[];
  /** Whether the web page is served at `/`. */
  webPage: boolean;
  /** Whether WebSocket clients that ask for compression get it. */
  webSocketCompression: boolean;
}

/** Files in PEM. */
export interface TlsConfig {
  cert: string;
  key: string;
  /** Clients must show a certificate that one of these authorities has signed. */
  clientCa: string | undefined;
}

export function readHttp(read: EnvReader, tls: boolean): HttpConfig {
  const port = read.integer('HTTP_PORT', 8_080, { min: 0, max: 65_535 });
  return {
    enabled: read.boolean('GATEWAY', true),
    port,
    publicUrl: (read.url('PUBLIC_URL', ['http:', 'https:']) ?? `${tls ? 'https' : 'http'}://localhost:${port}`).replace(
      /\/+$/,
      '',
    ),
    trustedProxies: read.list(
      'TRUSTED_PROXIES',
      [],
      isNetwork,
      'addresses, networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal',
    ),
    corsOrigins: read.list('CORS_ORIGINS', [], /^(\*|https?:\/\/[^/\s]+)$/, 'origins such as https://chat.example.com'),
    webPage: read.boolean('WEB_PAGE', true),
    webSocketCompression: read.boolean('WEBSOCKET_COMPRESSION', false),
  };
}

/** An address, a network such as 10.0.0.0/8, or a word that proxy-addr knows. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [, address = '', prefix = '0'] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  return isIP(address) > 0 && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}

export function readTls(read: EnvReader): TlsConfig | undefined {
  const cert = read.optional('TLS_CERT');
  const key = read.optional('TLS_KEY');
  const clientCa = read.optional('TLS_CLIENT_CA');
  read.require((cert === undefined) === (key === undefined), 'TLS_CERT and TLS_KEY must be set together');
  read.require(!clientCa || cert !== undefined, 'TLS_CLIENT_CA needs TLS_CERT and TLS_KEY');
  return cert && key ? { cert, key, clientCa } : undefined;
}
