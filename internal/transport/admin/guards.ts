import { hash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { Refusal } from './refusal.ts';
import type { Access, Guard } from './route.ts';

/** How a request shows that it comes from an operator. The values are read at each request. */
export interface Credentials {
  /** The bearer token; undefined: none is needed. */
  token: string | undefined;
  /** Whether a client certificate is required, which TLS has checked before the request arrives. */
  certificate: boolean;
}

/** The guards of a port that others may reach. */
export function portGuards(credentials: Credentials): Record<Access, Guard> {
  const scraper: Guard = ({ headers }) => checkToken(headers.authorization, credentials.token);
  return {
    anybody: () => {},
    scraper,
    operator(request) {
      scraper(request);
      if (credentials.token === undefined && !credentials.certificate) checkLocal(request);
    },
  };
}

/** The guards of a socket that only the process itself can reach, for requests that another process has checked. */
export const trustAll: Record<Access, Guard> = { anybody() {}, scraper() {}, operator() {} };

function checkToken(authorization = '', token: string | undefined): void {
  if (token === undefined) return;
  const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? '';
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new Refusal(401, 'a bearer token is required: ADMIN_TOKEN');
}

/**
 * Without credentials only this machine may ask, and not by way of a web page in its browser: a page can send requests to loopback, and by a name that
 * it makes resolve to loopback it can also read the answers.
 */
function checkLocal({ headers, socket }: Request): void {
  const host = URL.parse(`http://${headers.host}`)?.hostname ?? '';
  const site = headers['sec-fetch-site'] ?? 'none';
  const local = isLoopback(socket.remoteAddress ?? '') && isLoopback(host) && headers.origin === undefined;
  if (local && site === 'none') return;
  throw new Refusal(
    403,
    'without ADMIN_TOKEN or ADMIN_CLIENT_CA only programs on this machine may ask, by its loopback address',
  );
}

function isLoopback(host: string): boolean {
  return /^(localhost|\[?::1\]?|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(host);
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
