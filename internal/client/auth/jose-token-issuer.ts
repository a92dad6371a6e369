import { randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from 'jose';
import type { TokenRole } from '../../model/principal.ts';
import type { PrivateJwk, SigningKeyRepository } from '../../repository/signing-key-repository.ts';
import type { AccessToken, TokenIssuer } from './token-issuer.ts';

export interface JoseTokenIssuerOptions {
  issuer: string;
  audience: string;
  /** How long an access token is valid, in milliseconds. */
  ttlMs: number;
}

/** The embedded issuer: EdDSA JWTs (RFC 8037), signed with the newest of the keys in the repository. */
export class JoseTokenIssuer implements TokenIssuer {
  /** The public keys that its tokens can be verified with (RFC 7517). */
  readonly jwks: JSONWebKeySet;
  readonly #options: JoseTokenIssuerOptions;
  readonly #kid: string;
  readonly #key: CryptoKey;

  private constructor(options: JoseTokenIssuerOptions, jwks: JSONWebKeySet, kid: string, key: CryptoKey) {
    this.#options = options;
    this.jwks = jwks;
    this.#kid = kid;
    this.#key = key;
  }

  static async create(keys: SigningKeyRepository, options: JoseTokenIssuerOptions): Promise<JoseTokenIssuer> {
    const jwks = await keys.list(generateKey);
    const [newest] = jwks;
    if (!newest) throw new Error('there is no key to sign tokens with');
    const key = (await importJWK(newest as JWK, 'EdDSA')) as CryptoKey;
    return new JoseTokenIssuer(options, { keys: jwks.map(toPublic) }, newest.kid, key);
  }

  async issue({
    userId,
    name,
    roles,
  }: {
    userId: string;
    name: string;
    roles: readonly TokenRole[];
  }): Promise<AccessToken> {
    const { issuer, audience, ttlMs } = this.#options;
    // Whole seconds: what is told must be what the token says.
    const expiresAt = new Date(Math.floor((Date.now() + ttlMs) / 1_000) * 1_000);
    const token = await new SignJWT({ name, roles })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.#kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .setJti(randomUUID())
      .sign(this.#key);
    return { token, expiresAt };
  }
}

async function generateKey(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'EdDSA', use: 'sig' };
}

function toPublic({ kid, kty, crv, x, alg, use }: PrivateJwk): JWK {
  return { kid, kty, crv, x, alg, use } as JWK;
}
