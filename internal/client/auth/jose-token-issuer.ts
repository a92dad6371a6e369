import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { JoseSigningKeys } from './jose-signing-keys.ts';
import type { AccessToken, TokenIssuer, TokenSubject } from './token-issuer.ts';

export interface JoseTokenIssuerOptions {
  issuer: string;
  audience: string;
  /** How long an access token is valid, in milliseconds. */
  ttlMs: number;
}

/** The embedded issuer. Signs JWTs with EdDSA (RFC 8037). */
export class JoseTokenIssuer implements TokenIssuer {
  readonly #keys: JoseSigningKeys;
  readonly #options: JoseTokenIssuerOptions;

  constructor(keys: JoseSigningKeys, options: JoseTokenIssuerOptions) {
    this.#keys = keys;
    this.#options = options;
  }

  async issue({ userId, name, roles, sessionId }: TokenSubject): Promise<AccessToken> {
    const { issuer, audience, ttlMs } = this.#options;
    const { kid, key } = await this.#keys.signing();
    // Tokens hold whole seconds, and the answer must agree with the token.
    const expiresAt = new Date(Math.floor((Date.now() + ttlMs) / 1_000) * 1_000);
    const token = await new SignJWT({ name, roles, ...(sessionId !== undefined && { sid: sessionId }) })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .setJti(randomUUID())
      .sign(key);
    return { token, expiresAt };
  }
}
