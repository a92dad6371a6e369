import type { Chat } from '../model/chat.ts';
import type { ChatUpdateRequest } from '../model/chat-fields.ts';
import type { Message, Receipt } from '../model/message.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';
import type { Guard } from './guard.ts';

/** The user, or the backend, that creates a chat. */
export interface Creator extends User {
  /** The creator acts for others and does not become a member; the first of the named members is the owner. */
  external?: boolean;
}

/** The place in a user's list of chats after which a page begins. */
export interface ChatsKey {
  /** A time, as PostgreSQL writes it: with microseconds. */
  changedAt: string;
  id: string;
  /** The oldest transaction that the first page may not have seen: what it or a later one wrote may have changed since the first page. */
  since: string;
  /** Whether the page begins among the chats that have changed since the first page. */
  moved: boolean;
}

/** An update of a chat with a digest of its fields, by which a repetition is recognised. */
export interface ChatUpdate extends Omit<ChatUpdateRequest, 'chatId'> {
  digest: Buffer;
}

/** The outcome of an update. `repeated` is the same update again, `reused` another change with its clientChangeId. */
export type UpdatedChat =
  | { outcome: 'stored'; message: Message }
  | { outcome: 'repeated'; receipt: Receipt }
  | { outcome: 'unchanged' | 'reused' };

/**
 * Stores chats.
 *
 * Every change is one transaction that also writes an audit row and, unless it deletes the chat, the chat's system message; that message is
 * returned for delivery. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached; those that take a
 * chat's id throw NOT_FOUND (CHAT_NOT_FOUND) if the chat does not exist.
 */
export interface ChatRepository {
  /**
   * Returns the one direct chat of two users and creates it if there is none; `created` says which. The two are `oneUserId`, by default the
   * creator, and `otherUserId`. `message` is absent if the chat existed.
   */
  openDirect(
    creator: User,
    otherUserId: string,
    oneUserId?: string,
  ): Promise<{ chat: Chat; created: boolean; message?: Message }>;

  /** Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT). */
  createGroup(creator: Creator, title: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }>;

  /** Throws ALREADY_EXISTS (ROOM_EXISTS), RESOURCE_EXHAUSTED (MEMBER_LIMIT). */
  createRoom(creator: Creator, name: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }>;

  /** Creates the rooms that do not exist yet, without an owner. Writes neither message nor audit row. */
  ensureRooms(names: readonly string[]): Promise<void>;

  /**
   * Makes the user a member of the room; `message` is absent if the user is one already. Throws NOT_FOUND (ROOM_NOT_FOUND),
   * PERMISSION_DENIED (BANNED_FROM_CHAT), RESOURCE_EXHAUSTED (MEMBER_LIMIT).
   */
  joinRoom(name: string, user: User): Promise<{ chat: Chat; message?: Message }>;

  /** Returns the chat as the user sees it, member or not. */
  get(chatId: string, userId: string): Promise<Chat>;

  /**
   * Lists the user's chats. Those that have not changed since the first page come first, most recently changed first; then those that have, in
   * no particular order. All pages together therefore hold every chat of which the user has been a member throughout; one that changes
   * meanwhile may be in them twice.
   */
  listOfUser(userId: string, limit: number, after?: ChatsKey): Promise<Page<Chat, ChatsKey>>;

  /** Lists the rooms whose name contains the filter, in upper or lower case, ordered by name. */
  listRooms(userId: string, filter: string, limit: number, afterName?: string): Promise<Page<Chat, string>>;

  /**
   * Changes the fields of a group or room. A repetition gets the first outcome before the guard is called, so also after the actor has lost the role.
   * Nothing is recorded if nothing changes. Throws ALREADY_EXISTS (ROOM_EXISTS).
   */
  update(chatId: string, actor: User, update: ChatUpdate, guard: Guard): Promise<UpdatedChat>;

  /**
   * Deletes the chat with its members and bans; returns the ids of its members. From the commit on no method finds its messages, which are
   * removed later.
   */
  delete(chatId: string, actor: User, guard: Guard): Promise<string[]>;
}
