import type { Account, AuthEvent, AuthSession, Device, SessionEnd } from '../model/account.ts';
import type { Page } from '../model/page.ts';
import type { TokenRole } from '../model/principal.ts';

/** A session that begins. */
export interface NewSession {
  id: string;
  /** The digest that the password was compared with. */
  passwordHash: string;
  /** The digest of the session's first refresh token. */
  refreshTokenHash: Buffer;
  /** When the first refresh token expires. */
  expiresAt: Date;
  device: Device;
}

/** The refresh token that replaces the one in use. */
export interface NextRefreshToken {
  refreshTokenHash: Buffer;
  /** The digest of the key with which the same client may repeat the exchange when its answer was lost. */
  retryKeyHash: Buffer | undefined;
  expiresAt: Date;
  device: Device;
}

/** The session whose refresh token was replaced, and its account. */
export interface Refreshed {
  sessionId: string;
  account: Account;
}

/**
 * Stores accounts, their sessions and the audit log of both. Administrative changes write an audit row in the same transaction. Every method
 * throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
 */
export interface AccountRepository {
  /** Creates an account. `actorId` is empty if the operator does it. Throws ALREADY_EXISTS (USERNAME_TAKEN). */
  create(account: Omit<Account, 'createdAt'> & { passwordHash: string }, actorId: string): Promise<Account>;

  find(userId: string): Promise<(Account & { passwordHash: string }) | undefined>;

  list(): Promise<Account[]>;

  /**
   * Replaces the account's roles, on behalf of the operator. If a role is taken away, all sessions end, because their tokens still carry
   * it. Undefined if the account does not exist.
   */
  setRoles(userId: string, roles: readonly TokenRole[]): Promise<{ sessionsEnded: number } | undefined>;

  /**
   * Replaces the password's digest and ends all of the account's sessions but `keepSessionId`. Throws PERMISSION_DENIED (WRONG_PASSWORD) and
   * changes nothing if the stored digest is no longer `from`.
   */
  setPassword(
    userId: string,
    passwordHash: string,
    options: { actorId: string; from?: string; keepSessionId?: string },
  ): Promise<void>;

  /**
   * Stores the digest of the same password under other parameters; sessions go on. Returns false and changes nothing if the stored digest
   * is no longer `from`.
   */
  rehash(userId: string, digests: { from: string; to: string }): Promise<boolean>;

  /**
   * Stores a new session and returns the account as it is then. Throws UNAUTHENTICATED (WRONG_CREDENTIALS) if the password has changed
   * since it was compared.
   */
  beginSession(userId: string, session: NewSession): Promise<Account>;

  /**
   * Replaces a refresh token, given by its digest. Of several concurrent attempts with one token one succeeds.
   *
   * A token is good for one use: a second use ends the session and throws UNAUTHENTICATED (REFRESH_TOKEN_REUSED). The exception is a retry
   * with the retry key of the first use, while the token issued by that use has not been used; that token is then void. Throws
   * UNAUTHENTICATED (REFRESH_TOKEN_INVALID) for a token that is unknown or whose session has ended or expired.
   */
  refresh(tokenHash: Buffer, next: NextRefreshToken): Promise<Refreshed>;

  /** Lists the sessions that have neither ended nor expired, most recently used first. */
  listSessions(userId: string): Promise<AuthSession[]>;

  /**
   * Ends a session. False if the user has no such session, or it has ended already. `by` is the administrator who does it, and why; absent: the user
   * does.
   */
  endSession(
    userId: string,
    sessionId: string,
    reason: SessionEnd,
    by?: { actorId: string; why: string },
  ): Promise<boolean>;

  /** Records the end of a session that is not stored, as those of guests are not. Its tokens expire by `expiresAt`. */
  recordEnd(userId: string, sessionId: string, expiresAt: Date): Promise<void>;

  /** Lists the audit log, newest first; with `beforeId`, entries with a smaller id. */
  listEvents(filter: { userId?: string }, limit: number, beforeId?: number): Promise<Page<AuthEvent, number>>;

  /** Removes at most `limit` sessions that expired more than a day ago; returns how many it has removed. */
  prune(limit: number): Promise<number>;
}
