import type { IncomingMessage } from 'node:http';

/** The sub-protocols. A client that offers none at all gets JSON. */
export const protocols = { json: 'chat.v1.json', protobuf: 'chat.v1.proto' } as const;

/** Beside an encoding a browser names its access token so, as it cannot set headers. */
const bearerPrefix = 'chat.v1.bearer.';

/** The first encoding that the client offers; false if it offers none of ours. */
export function chooseProtocol(offered: Iterable<string>): string | false {
  for (const protocol of offered) {
    if (protocol === protocols.json || protocol === protocols.protobuf) return protocol;
  }
  return false;
}

/** `Bearer …` from the header or the sub-protocols; undefined if there is no token yet. */
export function authorizationOf({ headers }: IncomingMessage): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  const token = offeredBy(headers['sec-websocket-protocol']).find((offer) => offer.startsWith(bearerPrefix));
  return token && `Bearer ${token.slice(bearerPrefix.length)}`;
}

/** What a call is told of the handshake: no more of it is kept while the socket is open. */
const kept = ['traceparent', 'tracestate', 'uber-trace-id', 'user-agent', 'x-request-id'] as const;

export function keptHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

export function offeredBy(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((offer) => offer.trim())
    .filter((offer) => offer !== '');
}

/**
 * Whether a page of this origin may connect: browsers name the page's, and let any page connect anywhere. Programs that are no browsers
 * name none.
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
