import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { ChatError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import { type ClaimNames, toPrincipal } from './claims.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface JoseTokenVerifierOptions {
  issuer: string;
  audience: string;
  /** The accepted signature algorithms. A token that names another is refused. */
  algorithms: readonly string[];
  /** For an external issuer: the claims of its tokens with the name and the roles. */
  claims?: ClaimNames;
}

/** The longest token that is parsed, in characters. HTTP headers cannot hold longer ones. */
const maxTokenLength = 16_384;
/** JWS Compact Serialization (RFC 7515). */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** How far the issuer's clock may be ahead, in seconds. The expiry is checked without tolerance. */
const clockTolerance = 60;
/** Milliseconds for which the result of a verification is cached. Not longer, because keys can be withdrawn. */
const believedMs = 60_000;

/** Verifies JWTs (RFC 7519) against a JWKS. Caches valid tokens for one minute. */
export class JoseTokenVerifier implements TokenVerifier {
  readonly #keys: JWTVerifyGetKey;
  readonly #options: JoseTokenVerifierOptions;
  readonly #verified = new LRUCache<string, Principal>({
    max: 10_000,
    maxSize: 16_777_216,
    sizeCalculation: (_, token) => token.length,
    ttl: believedMs,
  });

  constructor(keys: JWTVerifyGetKey, options: JoseTokenVerifierOptions) {
    this.#keys = async (...args) => {
      try {
        return await keys(...args);
      } catch (error) {
        throw isFaultOfToken(error) ? error : keysUnavailable(error);
      }
    };
    this.#options = options;
  }

  async verify(token: string): Promise<Principal> {
    const known = this.#verified.get(token);
    if (known && !hasExpired(known)) return known;
    if (token.length > maxTokenLength || !compactForm.test(token)) throw invalid();
    const principal = toPrincipal(await this.#payload(token), this.#options.claims);
    if (hasExpired(principal)) throw expired();
    this.#verified.set(token, principal);
    return principal;
  }

  async #payload(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms } = this.#options;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['sub', 'exp'],
        clockTolerance,
      });
      if ((payload.iat ?? 0) > Date.now() / 1_000 + clockTolerance) throw new Error('issued in the future');
      return payload;
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) throw expired(cause);
      if (cause instanceof ChatError) throw cause;
      throw invalid(cause);
    }
  }
}

/** Whether the token is invalid; else the keys cannot be fetched: no connection, a timeout, or an answer that is not a key set. */
export function isFaultOfToken(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError) || error.code === errors.JOSEError.code) return false;
  return !(error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid);
}

function hasExpired({ tokenExpiresAt }: Principal): boolean {
  return tokenExpiresAt.getTime() <= Date.now();
}

function expired(cause?: unknown): ChatError {
  return new ChatError('TOKEN_EXPIRED', 'the access token has expired', { cause });
}

function invalid(cause?: unknown): ChatError {
  return new ChatError('TOKEN_INVALID', 'the access token is not valid', { cause });
}

function keysUnavailable(cause: unknown): ChatError {
  const message = "the token issuer's keys cannot be fetched";
  return new ChatError('STORAGE_UNAVAILABLE', message, { retryAfterMs: 1_000, cause });
}
