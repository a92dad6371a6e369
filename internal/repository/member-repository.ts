import type { ChatRole, Member } from '../model/member.ts';
import type { Message } from '../model/message.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';
import type { Guard, Reader } from './guard.ts';

/**
 * Stores the members of chats.
 *
 * Every change is one transaction that also writes an audit row and the chat's system messages; these are returned for delivery, in their
 * order. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached, and every change throws NOT_FOUND
 * (CHAT_NOT_FOUND) if the chat does not exist.
 */
export interface MemberRepository {
  /**
   * Makes the users members; returns those who were none before. `message` is absent if all of them were members. Throws RESOURCE_EXHAUSTED
   * (MEMBER_LIMIT), FAILED_PRECONDITION (USER_IS_BANNED).
   */
  add(
    chatId: string,
    actor: User,
    userIds: readonly string[],
    guard: Guard,
  ): Promise<{ added: Member[]; message?: Message }>;

  /**
   * Gives a member a role; `message` is absent if the member has it already. Throws NOT_FOUND (MEMBER_NOT_FOUND), FAILED_PRECONDITION
   * (LAST_OWNER).
   */
  setRole(
    chatId: string,
    actor: User,
    userId: string,
    role: ChatRole,
    guard: Guard,
  ): Promise<{ member: Member; message?: Message }>;

  /**
   * Ends a membership. If a group loses its last owner by this, its administrator of longest standing, or else its member of longest
   * standing, becomes one. Throws NOT_FOUND (MEMBER_NOT_FOUND).
   */
  remove(chatId: string, actor: User, userId: string, guard: Guard): Promise<Message[]>;

  /** Ends the user's own membership, like `remove`. Throws PERMISSION_DENIED (NOT_A_MEMBER). */
  leave(chatId: string, user: User, guard: Guard): Promise<Message[]>;

  /**
   * Lists the chat's members, ordered by user id. For a reader, throws NOT_FOUND (CHAT_NOT_FOUND) and what its guard throws; without one, a
   * chat that does not exist has no members.
   */
  list(chatId: string, limit: number, afterUserId?: string, reader?: Reader): Promise<Page<Member, string>>;
}
