import type { Ban } from '../model/ban.ts';
import type { Message } from '../model/message.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';
import type { Guard, Reader } from './guard.ts';

/** What a ban is made of, from a chat or from the service. */
export interface NewBan {
  userId: string;
  reason: string;
  /** Absent: until the ban is lifted. */
  expiresAt?: Date;
}

/**
 * Stores the bans from single chats. Bans from the whole service are in `BanRepository`.
 *
 * Every change also writes an audit row. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached, and
 * every change throws NOT_FOUND (CHAT_NOT_FOUND) if the chat does not exist.
 */
export interface ChatBanRepository {
  /**
   * Bans the user from the chat, or replaces the ban. A member's membership ends as by `MemberRepository.remove`; the system messages of that
   * are returned, none if the user was not a member.
   */
  ban(chatId: string, actor: User, ban: NewBan, guard: Guard): Promise<{ ban: Ban; messages: Message[] }>;

  /** Throws NOT_FOUND (BAN_NOT_FOUND). */
  lift(chatId: string, actor: User, userId: string, guard: Guard): Promise<void>;

  /** Lists the bans that have not expired, ordered by user id. For a reader, throws what its guard throws. */
  list(chatId: string, limit: number, afterUserId?: string, reader?: Reader): Promise<Page<Ban, string>>;
}
