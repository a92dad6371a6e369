import type { Message } from './message.ts';

/** What a room may be called: letters, digits, `_`, `-` and `.`, starting with a letter or digit. */
export const roomName = /^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,63}$/u;

export type ChatType = 'DIRECT' | 'GROUP' | 'ROOM';

/** What a member may do in a chat, least first. */
export const chatRoles = ['READER', 'MEMBER', 'ADMIN', 'OWNER'] as const;
export type ChatRole = (typeof chatRoles)[number];

/** Somebody as the access token names them; the name is empty for a user who has been named by id but never seen. */
export interface User {
  id: string;
  name: string;
}

/** The chat as the caller sees it. */
export interface Chat {
  id: string;
  type: ChatType;
  name: string;
  lastSeq: number;
  createdAt: Date;
  createdBy: string;
  memberCount: number;
  /** The caller's membership; absent if the caller is not a member. */
  own?: Membership & ReadMark;
  /** The other user of a direct chat. */
  peer?: User;
  lastMessage?: Message;
}

export interface Membership {
  role: ChatRole;
  /** The chat's number at which the user became a member. */
  joinedSeq: number;
}

/** How far a member has read. */
export interface ReadMark {
  readSeq: number;
  /** Messages of others beyond it, written since the member joined. */
  unreadCount: number;
}

export interface Member {
  user: User;
  role: ChatRole;
  joinedAt: Date;
  readSeq: number;
}

/** A page of a list; `next` continues it and is absent on the last page. */
export interface Page<Item, Key> {
  items: Item[];
  next?: Key;
}
