import type { TokenRole } from '../../model/principal.ts';

export interface AccessToken {
  token: string;
  expiresAt: Date;
}

/** Whom a token names. */
export interface TokenSubject {
  userId: string;
  name: string;
  roles: readonly TokenRole[];
  /** The session whose end ends the token. */
  sessionId?: string;
}

/** Signs access tokens. */
export interface TokenIssuer {
  issue(subject: TokenSubject): Promise<AccessToken>;
}
