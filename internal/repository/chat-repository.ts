import type { Ban } from '../model/ban.ts';
import type { Chat, ChatType } from '../model/chat.ts';
import type { ChatRole, Member, Membership, ReadMark } from '../model/member.ts';
import type { Message } from '../model/message.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';

/** A chat and the caller's role in it (absent: not a member), as they are while the chat is locked. */
export interface Access {
  chat: { id: string; type: ChatType };
  role?: ChatRole;
  /** The role of the member whom the change is about; absent: not a member, or the change is about nobody in particular. */
  targetRole?: ChatRole;
}

/** Who creates a chat. */
export interface Creator extends User {
  /** Acts for others and becomes no member: the first of those named is the owner. */
  external?: boolean;
}

/** A ban that is to be. */
export interface NewBan {
  userId: string;
  reason: string;
  expiresAt?: Date;
}

/** Decides, under the chat's lock, whether a change may go on; throws if it may not, and nothing is changed. */
export type Guard = (access: Access) => void;

/** A user's membership and the chat's last number, in one snapshot. */
export interface MembershipSnapshot extends Membership {
  chatId: string;
  lastSeq: number;
  memberCount: number;
}

/** Where a page of a user's chats continues. */
export interface ChatsKey {
  changedAt: string;
  id: string;
}

/**
 * Chats and their members at rest.
 *
 * Every change is one transaction that also writes the chat's system message (returned, for delivery) and an audit row. Every
 * method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the database cannot be reached; those that name a chat throw
 * NOT_FOUND (CHAT_NOT_FOUND) if there is none.
 */
export interface ChatRepository {
  /** The one direct chat of two users; `created` is false if it was there already. `oneUserId` is the creator unless given. */
  openDirect(
    creator: User,
    otherUserId: string,
    oneUserId?: string,
  ): Promise<{ chat: Chat; created: boolean; message?: Message }>;

  /** Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT). */
  createGroup(creator: Creator, title: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }>;

  /** Throws ALREADY_EXISTS (ROOM_EXISTS), RESOURCE_EXHAUSTED (MEMBER_LIMIT). */
  createRoom(creator: Creator, name: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }>;

  /** Creates, owned by nobody, those of the rooms that do not exist. */
  ensureRooms(names: readonly string[]): Promise<void>;

  /** The chat as the user sees it. */
  get(chatId: string, userId: string): Promise<Chat>;

  /** The user's chats, the one that changed last first. */
  listOfUser(userId: string, limit: number, after?: ChatsKey): Promise<Page<Chat, ChatsKey>>;

  /** Rooms whose name contains the filter in whatever case, by name. */
  listRooms(userId: string, filter: string, limit: number, afterName?: string): Promise<Page<Chat, string>>;

  /** Removes the chat with everything in it; returns who its members were. */
  delete(chatId: string, actor: User, guard: Guard): Promise<string[]>;

  /**
   * Adds those who are not members yet; no message if nobody was. Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT), FAILED_PRECONDITION
   * (USER_IS_BANNED).
   */
  addMembers(
    chatId: string,
    actor: User,
    userIds: readonly string[],
    guard: Guard,
  ): Promise<{ added: Member[]; message?: Message }>;

  /**
   * Gives a member a role; no message if they have it already. Throws NOT_FOUND (MEMBER_NOT_FOUND), FAILED_PRECONDITION
   * (LAST_OWNER).
   */
  updateMember(
    chatId: string,
    actor: User,
    userId: string,
    role: ChatRole,
    guard: Guard,
  ): Promise<{ member: Member; message?: Message }>;

  /** Passes ownership of a group on if its last owner goes. Throws NOT_FOUND (MEMBER_NOT_FOUND). */
  removeMember(chatId: string, actor: User, userId: string, guard: Guard): Promise<Message[]>;

  /** As `removeMember`, of the user's own will. Throws PERMISSION_DENIED (NOT_A_MEMBER). */
  leave(chatId: string, user: User, guard: Guard): Promise<Message[]>;

  /** Bans the user, or replaces their ban; takes them out as `removeMember` does if they are a member. */
  banMember(chatId: string, actor: User, ban: NewBan, guard: Guard): Promise<{ ban: Ban; messages: Message[] }>;

  /** Throws NOT_FOUND (BAN_NOT_FOUND). */
  unbanMember(chatId: string, actor: User, userId: string, guard: Guard): Promise<void>;

  /** Bans that have not expired, by user id. */
  listBans(chatId: string, limit: number, afterUserId?: string): Promise<Page<Ban, string>>;

  /**
   * Makes the user a member of the room. Throws NOT_FOUND (ROOM_NOT_FOUND), PERMISSION_DENIED (BANNED_FROM_CHAT),
   * RESOURCE_EXHAUSTED (MEMBER_LIMIT).
   */
  joinRoom(name: string, user: User): Promise<{ chat: Chat; message?: Message }>;

  /** By user id. */
  listMembers(chatId: string, limit: number, afterUserId?: string): Promise<Page<Member, string>>;

  /** Removes messages of deleted chats, so many at most; returns how many. */
  pruneDeleted(limit: number): Promise<number>;

  /** The user's membership in the chat; undefined if the user is not a member or there is no such chat. */
  findMembership(chatId: string, userId: string): Promise<MembershipSnapshot | undefined>;

  /** The user's membership in each of their chats, at most `limit` of them. */
  listMemberships(userId: string, limit: number): Promise<MembershipSnapshot[]>;

  /** Moves the member's read mark forward, never back; undefined if the user is not a member. `moved`: whether it was behind. */
  markRead(chatId: string, userId: string, seq: number): Promise<{ readSeq: number; moved: boolean } | undefined>;

  /** The member's read mark and what is beyond it; undefined if the user is not a member. Takes as long as there is much to count. */
  getReadMark(chatId: string, userId: string): Promise<ReadMark | undefined>;

  /** Ids of the user's chats that have no more members than that. */
  listSmallChats(userId: string, maxMembers: number): Promise<string[]>;

  /** Remembers the user's name for others to see. */
  rememberUser(user: User): Promise<void>;

  /** A number for each user that rises whenever one of their memberships begins or ends. */
  listMembershipVersions(userIds: readonly string[]): Promise<Map<string, number>>;
}
