import type { TokenRole } from '../../model/principal.ts';

export interface AccessToken {
  token: string;
  expiresAt: Date;
}

/** Signs access tokens. */
export interface TokenIssuer {
  issue(subject: { userId: string; name: string; roles: readonly TokenRole[] }): Promise<AccessToken>;
}
