import type { Ban, BanChange } from '../model/ban.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';

/** Who is banned from the whole service. Each change also writes an audit row. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export interface BanRepository {
  /** Bans the user, or replaces reason and expiry of their ban. */
  ban(actor: User, userId: string, reason: string, expiresAt: Date | undefined): Promise<Ban>;

  /** Throws NOT_FOUND (BAN_NOT_FOUND). */
  lift(actor: User, userId: string): Promise<void>;

  /** Bans that have not expired, by user id. */
  list(limit: number, afterUserId?: string): Promise<Page<Ban, string>>;

  /**
   * What changed since the answer that gave the cursor; without one, all who are banned. May repeat some, never leaves one out.
   */
  listChanges(cursor?: string): Promise<{ changes: BanChange[]; cursor: string }>;
}
