import { randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import type { PrivateJwk, SigningKey, SigningKeyRepository } from '../../repository/signing-key-repository.ts';

export interface JoseSigningKeysOptions {
  /** Milliseconds after which the keys are read from the database again. */
  refreshMs: number;
  /** The shortest time between two reads because of tokens with unknown keys, in milliseconds. */
  cooldownMs: number;
}

const defaults: JoseSigningKeysOptions = { refreshMs: 10_000, cooldownMs: 1_000 };

interface Loaded {
  keys: readonly SigningKey[];
  jwks: JSONWebKeySet;
  find: JWTVerifyGetKey;
  at: number;
}

/**
 * The signing keys of the embedded issuer. They are read from the database again every `refreshMs`, and when a token names an unknown key, so that every
 * node follows a rotation without a restart.
 */
export class JoseSigningKeys {
  readonly #repository: SigningKeyRepository;
  readonly #options: JoseSigningKeysOptions;
  readonly #imported = new Map<string, Promise<CryptoKey>>();
  #loaded: Loaded;
  #loading: Promise<Loaded> | undefined;

  private constructor(repository: SigningKeyRepository, options: JoseSigningKeysOptions, keys: readonly SigningKey[]) {
    this.#repository = repository;
    this.#options = options;
    this.#loaded = toLoaded(keys);
  }

  /** Reads the keys, and creates the first one if there is none. */
  static async open(
    repository: SigningKeyRepository,
    options: Partial<JoseSigningKeysOptions> = {},
  ): Promise<JoseSigningKeys> {
    return new JoseSigningKeys(repository, { ...defaults, ...options }, await repository.list(generateSigningKey));
  }

  /** Returns the public keys of all signing keys, as a JWK Set (RFC 7517). */
  async jwks(): Promise<JSONWebKeySet> {
    return (await this.#current()).jwks;
  }

  /** Returns the key that signs new tokens. */
  async signing(): Promise<{ kid: string; key: CryptoKey }> {
    const { keys } = await this.#current();
    const now = Date.now();
    // If no key's time has come, the oldest key signs.
    const { jwk } = keys.find(({ signsFrom }) => signsFrom.getTime() <= now) ?? keys.at(-1)!;
    let key = this.#imported.get(jwk.kid);
    if (!key) {
      key = importJWK(jwk as JWK, 'EdDSA') as Promise<CryptoKey>;
      this.#imported.set(jwk.kid, key);
    }
    return { kid: jwk.kid, key: await key };
  }

  /** Finds the key of a token, for a verifier. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    // `#current` refreshes the keys here too, so that a retired key is not accepted for ever.
    const { find } = await this.#current();
    try {
      return await find(header, token);
    } catch (error) {
      const cooledDown = Date.now() - this.#loaded.at >= this.#options.cooldownMs;
      if (!(error instanceof errors.JWKSNoMatchingKey) || !cooledDown) throw error;
      return (await this.#load()).find(header, token);
    }
  };

  /** Returns the keys, refreshed if they are due. While the database is unreachable, the known keys remain in use. */
  async #current(): Promise<Loaded> {
    if (Date.now() - this.#loaded.at < this.#options.refreshMs) return this.#loaded;
    return this.#load().catch(() => {
      this.#loaded = { ...this.#loaded, at: Date.now() };
      return this.#loaded;
    });
  }

  #load(): Promise<Loaded> {
    this.#loading ??= this.#repository
      .list(generateSigningKey)
      .then((keys) => {
        this.#loaded = toLoaded(keys);
        return this.#loaded;
      })
      .finally(() => {
        this.#loading = undefined;
      });
    return this.#loading;
  }
}

/** Creates an Ed25519 key (RFC 8037). */
export async function generateSigningKey(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'EdDSA', use: 'sig' };
}

function toLoaded(keys: readonly SigningKey[]): Loaded {
  if (keys.length === 0) throw new Error('there is no key to sign tokens with');
  const jwks = { keys: keys.map(({ jwk }) => toPublic(jwk)) };
  return { keys, jwks, find: createLocalJWKSet(jwks), at: Date.now() };
}

function toPublic({ kid, kty, crv, x, alg, use }: PrivateJwk): JWK {
  return { kid, kty, crv, x, alg, use } as JWK;
}
