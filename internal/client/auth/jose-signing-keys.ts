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
  /** How old what is known of the keys may become before they are read again, in milliseconds. */
  refreshMs: number;
  /** How often a token with an unknown key can have them read again at the most, in milliseconds. */
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
 * The keys of the embedded issuer. They are read again now and then, and when a token names one that is not known, so that a rotation
 * anywhere is noticed without a restart.
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

  /** Makes the first key if there is none. */
  static async open(
    repository: SigningKeyRepository,
    options: Partial<JoseSigningKeysOptions> = {},
  ): Promise<JoseSigningKeys> {
    return new JoseSigningKeys(repository, { ...defaults, ...options }, await repository.list(generateSigningKey));
  }

  /** The public keys that tokens may be signed with (RFC 7517). */
  async jwks(): Promise<JSONWebKeySet> {
    return (await this.#current()).jwks;
  }

  /** The key to sign with now. */
  async signing(): Promise<{ kid: string; key: CryptoKey }> {
    const { keys } = await this.#current();
    const now = Date.now();
    // Before the first one's time there is nothing older: it signs all the same.
    const { jwk } = keys.find(({ signsFrom }) => signsFrom.getTime() <= now) ?? keys.at(-1)!;
    let key = this.#imported.get(jwk.kid);
    if (!key) {
      key = importJWK(jwk as JWK, 'EdDSA') as Promise<CryptoKey>;
      this.#imported.set(jwk.kid, key);
    }
    return { kid: jwk.kid, key: await key };
  }

  /** For a verifier. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    // Read again now and then here too: a key that has retired must not be taken for ever.
    const { find } = await this.#current();
    try {
      return await find(header, token);
    } catch (error) {
      const cooledDown = Date.now() - this.#loaded.at >= this.#options.cooldownMs;
      if (!(error instanceof errors.JWKSNoMatchingKey) || !cooledDown) throw error;
      return (await this.#load()).find(header, token);
    }
  };

  /** While the database is away the keys that are known go on to be used. */
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

/** A new Ed25519 key (RFC 8037). */
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
