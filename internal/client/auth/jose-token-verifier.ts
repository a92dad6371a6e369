import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { ChatError } from '../../model/errors.ts';
import type { Principal, TokenRole } from '../../model/principal.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface JoseTokenVerifierOptions {
  issuer: string;
  audience: string;
  /** Signature algorithms that are accepted; the token's own word counts for nothing. */
  algorithms: readonly string[];
}

const knownRoles: readonly string[] = ['user', 'admin', 'service'] satisfies TokenRole[];
const subject = /^[^\p{C}\s]{1,128}$/u;

/** Verifies JWTs (RFC 7519) against a JWKS. A token that was found good is not verified again until it expires. */
export class JoseTokenVerifier implements TokenVerifier {
  readonly #keys: JWTVerifyGetKey;
  readonly #options: JoseTokenVerifierOptions;
  readonly #verified = new LRUCache<string, Principal>({ max: 10_000 });

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
    if (known && known.tokenExpiresAt.getTime() > Date.now()) return known;
    const principal = toPrincipal(await this.#payload(token));
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
        clockTolerance: 5,
      });
      return payload;
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) {
        throw new ChatError('TOKEN_EXPIRED', 'the access token has expired', { cause });
      }
      if (cause instanceof ChatError) throw cause;
      throw new ChatError('TOKEN_INVALID', 'the access token is not valid', { cause });
    }
  }
}

/** Else the keys could not be fetched: no connection, no answer in time, or an answer that is no key set. */
function isFaultOfToken(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError) || error.code === errors.JOSEError.code) return false;
  return !(error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid);
}

function keysUnavailable(cause: unknown): ChatError {
  const message = 'the keys of the token issuer cannot be fetched';
  return new ChatError('STORAGE_UNAVAILABLE', message, { retryAfterMs: 1_000, cause });
}

function toPrincipal({ sub = '', exp = 0, name, roles }: JWTPayload): Principal {
  if (!subject.test(sub)) throw new ChatError('TOKEN_INVALID', "the access token's subject cannot be a user id");
  const listed: unknown[] = Array.isArray(roles) ? roles : ['user'];
  return {
    userId: sub,
    name: typeof name === 'string' ? name.slice(0, 128).replace(/\p{C}/gu, '') : '',
    roles: listed.filter((role): role is TokenRole => typeof role === 'string' && knownRoles.includes(role)),
    tokenExpiresAt: new Date(exp * 1_000),
  };
}
