/** What a token lets its bearer be, apart from the roles in a chat. */
export type TokenRole = 'user' | 'admin' | 'service';

/** The caller, as proven by a verified access token. */
export interface Principal {
  /** The token's subject. */
  userId: string;
  name: string;
  roles: TokenRole[];
  tokenExpiresAt: Date;
  /** The session that the token belongs to (`sid`); tokens of an outside issuer may have none. */
  sessionId?: string;
}
