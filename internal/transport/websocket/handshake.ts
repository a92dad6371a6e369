import type { IncomingMessage } from 'node:http';

/** The WebSocket sub-protocols, one for each encoding. A client that offers no sub-protocol gets JSON. */
export const protocols = { json: 'chat.v1.json', protobuf: 'chat.v1.proto' } as const;

/** A browser cannot set headers, so it offers its access token as a second sub-protocol with this prefix. */
const bearerPrefix = 'chat.v1.bearer.';

/** Returns the client's first offer that names an encoding; false if there is none. */
export function chooseProtocol(offered: Iterable<string>): string | false {
  for (const protocol of offered) {
    if (protocol === protocols.json || protocol === protocols.protobuf) return protocol;
  }
  return false;
}

/** Returns `Bearer …` from the header or the sub-protocols; undefined if the handshake has no token. */
export function authorizationOf({ headers }: IncomingMessage): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  const token = offeredBy(headers['sec-websocket-protocol']).find((offer) => offer.startsWith(bearerPrefix));
  return token && `Bearer ${token.slice(bearerPrefix.length)}`;
}

/** Headers that interceptors read. The others are dropped, so that an open socket holds less memory. */
const kept = ['traceparent', 'tracestate', 'uber-trace-id', 'user-agent', 'x-request-id'] as const;

/** Copies the handshake headers that outlive the handshake, by lower-case name. */
export function keptHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

/** Splits a Sec-WebSocket-Protocol header into the sub-protocols that the client offers, in its order. */
export function offeredBy(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((offer) => offer.trim())
    .filter((offer) => offer !== '');
}

/**
 * Whether the handshake's Origin may connect. A browser lets any page open a WebSocket to any host, so the server must check the page's
 * origin. A handshake without Origin comes from a program that is not a browser and is allowed.
 */
export function isAllowedOrigin(
  { headers }: IncomingMessage,
  publicUrl: string,
  corsOrigins: readonly string[],
): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
  const parsed = URL.parse(origin);
  return parsed !== null && (parsed.host === host || parsed.origin === URL.parse(publicUrl)?.origin);
}
