import type { Account, AuthEvent, AuthSession, Device, SessionEnd } from '../model/account.ts';
import type { Page } from '../model/page.ts';
import type { TokenRole } from '../model/principal.ts';

/** A session that begins: its id, the digest of its first refresh token, and until when that is good. */
export interface NewSession {
  id: string;
  /** What the password was compared with. */
  passwordHash: string;
  refreshTokenHash: Buffer;
  expiresAt: Date;
  device: Device;
}

/** What a refresh token is exchanged for. */
export interface Next {
  refreshTokenHash: Buffer;
  /** The digest of what lets the same client make the exchange again. */
  retryKeyHash: Buffer | undefined;
  expiresAt: Date;
  device: Device;
}

/** What a refresh token was exchanged for. */
export interface Refreshed {
  sessionId: string;
  account: Account;
}

/**
 * Accounts, sessions and their audit log at rest. Changes that an administrator would want to know of write an audit row in the same
 * transaction. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the database cannot be reached.
 */
export interface AccountRepository {
  /** `actorId` is empty for the operator. Throws ALREADY_EXISTS (USERNAME_TAKEN). */
  create(account: Omit<Account, 'createdAt'> & { passwordHash: string }, actorId: string): Promise<Account>;

  find(userId: string): Promise<(Account & { passwordHash: string }) | undefined>;

  list(): Promise<Account[]>;

  /** By the operator. Ends all sessions if a role is taken away: their tokens still have it. Undefined if there is no such account. */
  setRoles(userId: string, roles: readonly TokenRole[]): Promise<{ sessionsEnded: number } | undefined>;

  /**
   * Ends all of the account's sessions but `keepSessionId`. Throws PERMISSION_DENIED (WRONG_PASSWORD), changing nothing, if the digest is
   * not `from` any more.
   */
  setPassword(
    userId: string,
    passwordHash: string,
    options: { actorId: string; from?: string; keepSessionId?: string },
  ): Promise<void>;

  /** The same password under other parameters: ends nothing. False, changing nothing, if the digest is not `from` any more. */
  rehash(userId: string, digests: { from: string; to: string }): Promise<boolean>;

  /** Returns the account as it is at that moment. Throws UNAUTHENTICATED (WRONG_CREDENTIALS) if its password has changed meanwhile. */
  beginSession(userId: string, session: NewSession): Promise<Account>;

  /**
   * Exchanges a refresh token, by its digest, for the next one. Of several attempts with one token at the same time one wins.
   *
   * Throws UNAUTHENTICATED (REFRESH_TOKEN_INVALID), or (REFRESH_TOKEN_REUSED) after ending the session: a token is good for one use.
   * With the retry key of its use the last exchange can be made again while what it gave has not been used; that is void then.
   */
  refresh(tokenHash: Buffer, next: Next): Promise<Refreshed>;

  /** Sessions that have neither ended nor expired, the one used last first. */
  listSessions(userId: string): Promise<AuthSession[]>;

  /** False if the user has no such session, or it has ended. */
  endSession(userId: string, sessionId: string, reason: SessionEnd): Promise<boolean>;

  /** Records that a session which was never kept, as guests' are not, has ended; its tokens expire by `expiresAt`. */
  recordEnd(userId: string, sessionId: string, expiresAt: Date): Promise<void>;

  /** The newest first. */
  listEvents(filter: { userId?: string }, limit: number, beforeId?: number): Promise<Page<AuthEvent, number>>;

  /** Forgets sessions that ended or expired long ago; returns how many. Bounded work: call again for more. */
  prune(limit: number): Promise<number>;
}
