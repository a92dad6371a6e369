import type { TokenRole } from '../../model/principal.ts';

export interface AccessToken {
  token: string;
  expiresAt: Date;
}

/** The user whom a token names. */
export interface TokenSubject {
  userId: string;
  name: string;
  roles: readonly TokenRole[];
  /** The session to which the token belongs: its end revokes the token. */
  sessionId?: string;
}

/** Signs access tokens. */
export interface TokenIssuer {
  /** Signs a token. `expiresAt` equals the time in the token. */
  issue(subject: TokenSubject): Promise<AccessToken>;
}
