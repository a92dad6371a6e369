/** A role that an access token gives its bearer in the whole service. Chats have roles of their own. */
export type TokenRole = 'user' | 'admin' | 'service';

/** The caller, as proven by a verified access token. */
export interface Principal {
  /** The token's subject. */
  userId: string;
  name: string;
  roles: TokenRole[];
  tokenExpiresAt: Date;
  /** The session to which the token belongs (`sid`); tokens of an external issuer may have none. */
  sessionId?: string;
}
