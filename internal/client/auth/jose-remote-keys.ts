import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { isFaultOfToken } from './jose-token-verifier.ts';

export interface JoseRemoteKeysOptions {
  /** How long a set is used before it is fetched again, in milliseconds. Withdrawn keys are accepted until then. */
  cacheMaxAgeMs: number;
  /** The least time between two fetches for the sake of a key that is not in the set, in milliseconds. */
  cooldownMs: number;
  timeoutMs: number;
  /** How long a set that has become old goes on to be used while it cannot be fetched again, in milliseconds. */
  staleMs: number;
  /** After a fetch that failed: how long until the next, in milliseconds. */
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
 * The keys of an issuer elsewhere, fetched from its JWKS when they are needed: the first time, when they have become old, and for a
 * token of a key that is not known. While the issuer is away its keys that are known go on to serve for a time.
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
      // A key that is not among them may be a new one: that is no fault of the token.
      return await createLocalJWKSet(known)(header, token).catch(() => {
        throw error;
      });
    }
  };
}
