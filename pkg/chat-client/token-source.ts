import type { AuthCalls } from './transport.ts';

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
    const { accessToken, expiresAt } = await auth.guest({ name }, { signal });
    return { token: accessToken, expiresAt: expiresAt ?? new Date() };
  };
}

/** Uses tokens that the application gets by itself. */
export function accessToken(get: () => Promise<Token>): TokenSource {
  return () => get();
}

/** A token is renewed when a fifth of its time is left, but at least so many milliseconds before it expires. */
const minMarginMs = 2_000;

/** Keeps one good token. */
export class TokenKeeper {
  readonly #source: TokenSource;
  readonly #auth: AuthCalls;
  readonly #closed: AbortSignal;
  #current: { token: Token; renewAt: number } | undefined;
  #renewing: Promise<Token> | undefined;

  constructor(source: TokenSource, auth: AuthCalls, closed: AbortSignal) {
    this.#source = source;
    this.#auth = auth;
    this.#closed = closed;
  }

  /** A token that is good for a while. */
  async get(): Promise<Token> {
    if (this.#current && Date.now() < this.#current.renewAt) return this.#current.token;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
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
    this.#current = { token, renewAt: Date.now() + leftMs - Math.min(Math.max(leftMs / 5, minMarginMs), leftMs / 2) };
    return token;
  }
}
