import { isIP } from 'node:net';
import type { EnvReader } from '../reading/env-reader.ts';
import { findPlainUrls, type Insecurity } from '../reading/insecure.ts';

/** The HTTP side: REST, its documentation, WebSocket, server-sent events and the web page. */
export interface HttpConfig {
  /** Whether this process serves HTTP. */
  enabled: boolean;
  /** 0: any free port. */
  port: number;
  /** Where clients reach the gateway from outside, without a slash at the end. */
  publicUrl: string;
  /** Proxies whose X-Forwarded-For is believed: addresses, networks, or the words loopback, linklocal, uniquelocal. */
  trustedProxies: string[];
  /** Origins whose pages may call the gateway; `*`: any origin, without credentials. */
  corsOrigins: string[];
  /** Whether the web page is served at `/`. */
  webPage: boolean;
  /** Whether WebSocket clients that ask for compression get it. */
  webSocketCompression: boolean;
}

/** `tls`: whether the service has a certificate, which decides the scheme of the default `publicUrl`. */
export function readHttp(read: EnvReader, tls: boolean): HttpConfig {
  const port = read.integer('HTTP_PORT', 8_080, { min: 0, max: 65_535 });
  const localUrl = `${tls ? 'https' : 'http'}://localhost:${port}`;
  return {
    enabled: read.boolean('GATEWAY', true),
    port,
    publicUrl: (read.url('PUBLIC_URL', ['http:', 'https:']) ?? localUrl).replace(/\/+$/, ''),
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

/** A public address in plain text. */
export function findHttpInsecurities({ publicUrl }: HttpConfig): Insecurity[] {
  return findPlainUrls({ PUBLIC_URL: publicUrl });
}

/** An address, a network such as 10.0.0.0/8, or a word that proxy-addr knows. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [, address = '', prefix = '0'] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  return isIP(address) > 0 && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}
