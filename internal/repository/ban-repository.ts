import type { Ban, BanChange } from '../model/ban.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';

/**
 * Stores the bans from the whole service. Bans from single chats are in `ChatBanRepository`. Every change also writes an audit row. Every
 * method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
 */
export interface BanRepository {
  /** Bans the user, or replaces the ban. `expiresAt` undefined: until the ban is lifted. */
  ban(actor: User, userId: string, reason: string, expiresAt: Date | undefined): Promise<Ban>;

  /** Throws NOT_FOUND (BAN_NOT_FOUND). */
  lift(actor: User, userId: string): Promise<void>;

  /** Lists the bans that have not expired, ordered by user id. */
  list(limit: number, afterUserId?: string): Promise<Page<Ban, string>>;

  /**
   * Returns the bans that were set or lifted since the answer that gave the cursor. A change may be returned twice and is never left out, however long its
   * commit takes. Without a cursor, or with one of another history (the database was restored, or a standby took over), returns all bans in force.
   */
  listChanges(cursor?: string): Promise<BanChanges>;
}

export interface BanChanges {
  changes: BanChange[];
  /** Whether the changes are all bans in force: a user who is not among them is not banned. */
  complete: boolean;
  /** Where the next answer begins. */
  cursor: string;
}
