import { ChatClientError, closedError } from '../errors/chat-error.ts';
import { newId } from '../ids/new-id.ts';
import { orAborted } from '../timing/or-aborted.ts';
import type { AuthCalls } from '../transports/transport.ts';
import { jwtLifeMs } from './jwt-life.ts';

/** An access token. */
export interface Token {
  /** The value for the header `authorization: Bearer …`. */
  token: string;
  expiresAt: Date;
}

/**
 * Returns an access token. The client calls it again before the previous token expires and after the service has refused a token. The signal
 * aborts when the client is closed. If it throws, the client retries; WRONG_CREDENTIALS, REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED and
 * codes such as PERMISSION_DENIED close the client instead.
 */
export type TokenSource = (auth: AuthCalls, signal: AbortSignal) => Promise<Token>;

/**
 * Signs in as a guest, with a name and no password. A service that does not admit guests refuses with FAILED_PRECONDITION (GUESTS_DISABLED).
 *
 * @example
 * const client = new ChatClient({ transport, token: guest('alice') });
 */
export function guest(name: string): TokenSource {
  return async (auth, signal) => {
    return toToken(await auth.guest({ name }, { signal }));
  };
}

/**
 * Signs in with a user name and a password. Later it refreshes the session, and uses the password again only if the session has ended.
 * Clients that share the source share the session. Wrong credentials close the client with UNAUTHENTICATED (WRONG_CREDENTIALS).
 *
 * @example
 * const client = new ChatClient({ transport, token: account('alice', password) });
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
 * Continues a session whose refresh token the application has stored. Each refresh token can be used once: `onRotated` receives the next one,
 * which the application must store in place of the previous one. The client waits for `onRotated` before it uses the new access token. If the
 * session has ended, the client is closed with UNAUTHENTICATED (REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED); the user must sign in again.
 *
 * `retryKey` is a secret, such as a random UUID, that the application stores with the token. A program that ended before it stored the next
 * token can then continue with the previous token and the same key.
 *
 * @example
 * const token = refreshToken(stored.token, (next) => save({ ...stored, token: next }), { retryKey: stored.retryKey });
 */
export function refreshToken(
  token: string,
  onRotated: (next: string) => void | Promise<void>,
  { retryKey = newId() }: { retryKey?: string } = {},
): TokenSource {
  let current = token;
  return inTurn(async (auth, signal) => {
    signal.throwIfAborted();
    // The call has no signal: its answer holds the only refresh token that is valid from then on.
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

/** Runs the calls of a source one after another: using a refresh token twice would end its session. */
function inTurn(source: TokenSource): TokenSource {
  let last: Promise<unknown> = Promise.resolve();
  return (auth, signal) => {
    const next = last.then(() => source(auth, signal));
    last = next.catch(() => {});
    return next;
  };
}

/**
 * Uses tokens that the application obtains by itself. The client calls `get` before each token expires; the signal aborts when the client is
 * closed.
 *
 * @example
 * const token = accessToken(async (signal) => ({ token: await fetchToken(signal), expiresAt: new Date(Date.now() + 900_000) }));
 */
export function accessToken(get: (signal: AbortSignal) => Promise<Token>): TokenSource {
  return (_auth, signal) => get(signal);
}

/** A token is renewed when a fifth of its remaining lifetime is left, but at least this many milliseconds before it expires. */
const minMarginMs = 2_000;

/**
 * Minimum time between renewals in milliseconds, but at most a quarter of the token's lifetime. If the device's clock is ahead, every token
 * seems expired; the minimum keeps the client from renewing continuously. The shorter time applies after the first token, which may have been
 * issued long ago, and after the source returned the same token again.
 */
const minWaitMs = { afterNew: 30_000, afterOld: 1_000 };

/** Holds the current access token and renews it before it expires. */
export class TokenKeeper {
  readonly #source: TokenSource;
  readonly #auth: AuthCalls;
  readonly #closed: AbortSignal;
  #current: { token: Token; renewAt: number } | undefined;
  #renewing: Promise<Token> | undefined;
  /** The last token that the source returned. */
  #given: string | undefined;

  constructor(source: TokenSource, auth: AuthCalls, closed: AbortSignal) {
    this.#source = source;
    this.#auth = auth;
    this.#closed = closed;
  }

  /** Returns a token that is not about to expire. Throws CANCELLED as soon as the client is closed, even if the source has not returned. */
  async get(): Promise<Token> {
    if (this.#current && Date.now() < this.#current.renewAt) return this.#current.token;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    const token = await orAborted(this.#renewing, this.#closed);
    if (!token) throw closedError();
    return token;
  }

  /** Milliseconds until `get` should be called again. */
  get renewInMs(): number {
    return Math.max(0, (this.#current?.renewAt ?? 0) - Date.now());
  }

  /** Discards the token, because the service has refused it. */
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
