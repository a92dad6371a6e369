import { ChatClientError, closedError } from '../errors/chat-error.ts';
import { newId } from '../ids/new-id.ts';
import { orAborted } from '../timing/or-aborted.ts';
import type { AuthCalls } from '../transports/transport.ts';
import { jwtLifeMs } from './jwt-life.ts';

export interface Token {
  token: string;
  expiresAt: Date;
}

/**
 * Where access tokens come from; asked again whenever the one before is about to expire. The signal aborts when the client is
 * closed.
 */
export type TokenSource = (auth: AuthCalls, signal: AbortSignal) => Promise<Token>;

/** Signs in as a guest: a name and no password, where the service admits guests. */
export function guest(name: string): TokenSource {
  return async (auth, signal) => {
    return toToken(await auth.guest({ name }, { signal }));
  };
}

/**
 * Signs in with user name and password. The session is refreshed from then on; the password is used again only when the service refuses
 * that, because the session has ended. Clients that share the source share the session.
 */
export function account(username: string, password: string): TokenSource {
  let refreshToken: string | undefined;
  const retryKey = newId();
  return inTurn(async (auth, signal) => {
    let answer: Answer | undefined;
    if (refreshToken !== undefined) {
      try {
        answer = await auth.refresh({ refreshToken, retryKey }, { signal });
      } catch (error) {
        if (!isRefused(error)) throw error;
        refreshToken = undefined;
      }
    }
    answer ??= await auth.login({ username, password }, { signal });
    ({ refreshToken } = answer);
    return toToken(answer);
  });
}

/**
 * Goes on with a session that the application has kept the refresh token of. Each is good for one use: `onRotated` is given the next one, to
 * be kept instead, and is waited for before anything is done with what came with it. When the session has ended the service's refusal
 * (REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED) is final: sign in again.
 *
 * `retryKey` is a secret that the application keeps with the token, such as a random UUID: with it a program that was ended before it had stored the
 * next token can go on with the one before.
 */
export function refreshToken(
  token: string,
  onRotated: (next: string) => void | Promise<void>,
  { retryKey = newId() }: { retryKey?: string } = {},
): TokenSource {
  let current = token;
  return inTurn(async (auth, signal) => {
    signal.throwIfAborted();
    // Once begun it is not given up: the answer has the only token that is good from then on.
    const answer = await auth.refresh({ refreshToken: current, retryKey }, {});
    current = answer.refreshToken;
    await onRotated(current);
    return toToken(answer);
  });
}

interface Answer {
  accessToken: string;
  expiresAt: Date | undefined;
  refreshToken: string;
}

function toToken({ accessToken, expiresAt }: Omit<Answer, 'refreshToken'>): Token {
  return { token: accessToken, expiresAt: expiresAt ?? new Date() };
}

function isRefused(error: unknown): boolean {
  return error instanceof ChatClientError && error.reason.startsWith('REFRESH_TOKEN_');
}

/** One at a time: a refresh token that is used twice ends its session. */
function inTurn(source: TokenSource): TokenSource {
  let last: Promise<unknown> = Promise.resolve();
  return (auth, signal) => {
    const next = last.then(() => source(auth, signal));
    last = next.catch(() => {});
    return next;
  };
}

/** Uses tokens that the application gets by itself. The signal aborts when the client is closed. */
export function accessToken(get: (signal: AbortSignal) => Promise<Token>): TokenSource {
  return (_auth, signal) => get(signal);
}

/** A token is renewed when a fifth of its time is left, but at least so many milliseconds before it expires. */
const minMarginMs = 2_000;

/**
 * By a clock that is ahead every token is old: after a new one none is asked for sooner than that, in milliseconds, or than a quarter of its life; after the
 * first one, which may have been made long ago, and after the same one again, sooner.
 */
const minWaitMs = { afterNew: 30_000, afterOld: 1_000 };

/** Keeps one good token. */
export class TokenKeeper {
  readonly #source: TokenSource;
  readonly #auth: AuthCalls;
  readonly #closed: AbortSignal;
  #current: { token: Token; renewAt: number } | undefined;
  #renewing: Promise<Token> | undefined;
  /** The last one that the source gave. */
  #given: string | undefined;

  constructor(source: TokenSource, auth: AuthCalls, closed: AbortSignal) {
    this.#source = source;
    this.#auth = auth;
    this.#closed = closed;
  }

  /** A token that is good for a while. Throws CANCELLED when the client is closed, whatever the source does then. */
  async get(): Promise<Token> {
    if (this.#current && Date.now() < this.#current.renewAt) return this.#current.token;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    const token = await orAborted(this.#renewing, this.#closed);
    if (!token) throw closedError();
    return token;
  }

  /** When to call `get` again, in milliseconds from now. */
  get renewInMs(): number {
    return Math.max(0, (this.#current?.renewAt ?? 0) - Date.now());
  }

  /** Forgets the token: the service has refused it. */
  drop(): void {
    this.#current = undefined;
  }

  async #renew(): Promise<Token> {
    const token = await this.#source(this.#auth, this.#closed);
    const leftMs = token.expiresAt.getTime() - Date.now();
    const waitMs = leftMs - Math.min(Math.max(leftMs / 5, minMarginMs), leftMs / 2);
    this.#current = { token, renewAt: Date.now() + Math.max(waitMs, this.#minWaitMs(token.token, leftMs)) };
    this.#given = token.token;
    return token;
  }

  #minWaitMs(token: string, leftMs: number): number {
    const isNew = this.#given !== undefined && token !== this.#given;
    const lifeMs = jwtLifeMs(token) ?? (leftMs > minMarginMs ? leftMs : Number.POSITIVE_INFINITY);
    return Math.min(isNew ? minWaitMs.afterNew : minWaitMs.afterOld, lifeMs / 4);
  }
}
