import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { isFaultOfToken } from './jose-token-verifier.ts';

export interface JoseRemoteKeysOptions {
  /** Milliseconds for which a key set is used before it is fetched again. Withdrawn keys are accepted until then. */
  cacheMaxAgeMs: number;
  /** The shortest time between two fetches because of unknown keys, in milliseconds. */
  cooldownMs: number;
  /** The longest time of a fetch, in milliseconds. */
  timeoutMs: number;
  /** Milliseconds for which the last set is still used while the issuer is unreachable. */
  staleMs: number;
  /** Milliseconds after a failed fetch in which no other is tried. */
  retryMs: number;
}

export const remoteKeysDefaults: JoseRemoteKeysOptions = {
  cacheMaxAgeMs: 600_000,
  cooldownMs: 10_000,
  timeoutMs: 3_000,
  staleMs: 3_600_000,
  retryMs: 1_000,
};

/**
 * Returns a function that finds a token's key in the JWKS of an external issuer. It fetches the set on first use, when the set is older than
 * `cacheMaxAgeMs`, and for an unknown key. While the issuer is unreachable, the last set is used for `staleMs`.
 */
export function createRemoteKeys(url: string, options: Partial<JoseRemoteKeysOptions> = {}): JWTVerifyGetKey {
  const { cacheMaxAgeMs, cooldownMs, timeoutMs, staleMs, retryMs } = { ...remoteKeysDefaults, ...options };
  const remote = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: cacheMaxAgeMs,
    cooldownDuration: cooldownMs,
    timeoutDuration: timeoutMs,
    headers: { 'user-agent': 'chat-service' },
  });
  let freshAt = Number.NEGATIVE_INFINITY;
  let failure: { error: unknown; at: number } | undefined;

  const ask: JWTVerifyGetKey = async (header, token) => {
    if (failure && Date.now() < failure.at + retryMs) throw failure.error;
    try {
      const key = await remote(header, token);
      failure = undefined;
      return key;
    } catch (error) {
      if (isFaultOfToken(error)) throw error;
      failure = { error, at: Date.now() };
      throw error;
    } finally {
      if (remote.fresh) freshAt = Date.now();
    }
  };
  return async (header, token) => {
    try {
      return await ask(header, token);
    } catch (error) {
      const known = Date.now() < freshAt + staleMs ? remote.jwks() : undefined;
      if (isFaultOfToken(error) || !known) throw error;
      // An unknown key may be a new one, so the fetch's error is thrown and the token is not called invalid.
      return await createLocalJWKSet(known)(header, token).catch(() => {
        throw error;
      });
    }
  };
}
