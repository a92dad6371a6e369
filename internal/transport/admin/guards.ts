import { hash, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Principal } from '../../model/principal.ts';
import { Refusal } from './refusal.ts';
import type { Access, Guard } from './route.ts';

/** How a request shows that it comes from an operator. The values are read at each request. */
export interface Credentials {
  /** The bearer token; undefined: none is needed. */
  token: string | undefined;
  /** Whether a client certificate is required, which TLS has checked before the request arrives. */
  certificate: boolean;
}

/** Returns the administrator whose access token the request has. Throws `Refusal` for any other token. */
export type Authenticate = (request: Request, response: Response) => Promise<Principal>;

/** A process without a console knows no administrators. */
const nobody: Authenticate = async () => {
  throw new Refusal(403, 'this process has no console');
};

/** The guards of a port that others may reach. */
export function portGuards(credentials: Credentials, authenticate = nobody): Record<Access, Guard> {
  const scraper = ({ headers }: Request) => checkToken(headers.authorization, credentials.token);
  const isOpen = () => credentials.token === undefined && !credentials.certificate;
  const ownPage = (request: Request) => {
    checkOwnPage(request);
    if (isOpen()) checkName(request);
  };
  return {
    anybody: () => {},
    scraper,
    operator(request) {
      scraper(request);
      if (isOpen()) checkLocal(request);
    },
    'own page': ownPage,
    async admin(request, response) {
      ownPage(request);
      response.locals.principal = await authenticate(request, response);
    },
  };
}

/** The guards of a socket that only the process itself can reach: another process has checked all but who the administrator is. */
export function socketGuards(authenticate = nobody): Record<Access, Guard> {
  const pass = () => {};
  return {
    anybody: pass,
    scraper: pass,
    operator: pass,
    'own page': pass,
    async admin(request, response) {
      response.locals.principal = await authenticate(request, response);
    },
  };
}

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

/** Other web pages may not ask, although they lack the token: a browser would show the answer to nobody, but the request would have arrived. */
function checkOwnPage({ headers }: Request): void {
  const isOwn = headers.origin === undefined || URL.parse(headers.origin)?.host === headers.host;
  if (isOwn && ['none', 'same-origin'].includes(String(headers['sec-fetch-site'] ?? 'none'))) return;
  throw new Refusal(403, 'other web pages may not ask');
}

/** At loopback a name must be one of loopback: a page of another name that resolves to it has the same origin as itself. */
function checkName({ headers, socket }: Request): void {
  const host = URL.parse(`http://${headers.host}`)?.hostname ?? '';
  if (!isLoopback(socket.remoteAddress ?? '') || isLoopback(host)) return;
  throw new Refusal(403, 'ask by the loopback address, or set ADMIN_TOKEN or ADMIN_CLIENT_CA');
}

function isLoopback(host: string): boolean {
  return /^(localhost|\[?::1\]?|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(host);
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
