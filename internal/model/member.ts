import type { User } from './user.ts';

/** The roles of members, from the least to the most powerful. */
export const chatRoles = ['READER', 'MEMBER', 'ADMIN', 'OWNER'] as const;
export type ChatRole = (typeof chatRoles)[number];

export interface Member {
  user: User;
  role: ChatRole;
  joinedAt: Date;
  /** The number of the last message that the member has read. */
  readSeq: number;
  /** How often the member has moved `readSeq` back: of two states of it, the one with the greater generation is newer. */
  readGeneration: number;
  /** The number of the last message that a device of the member has received; at least `readSeq`. */
  deliveredSeq: number;
}

export interface Membership {
  role: ChatRole;
  /** The number of the system message with which the user became a member. */
  joinedSeq: number;
}

/** A member's read mark. */
export interface ReadPosition {
  /** The number of the last message that the member has read. */
  readSeq: number;
  /** As in `Member`. */
  readGeneration: number;
}

/** How far a member has read. */
export interface ReadMark extends ReadPosition {
  /** The number of later messages that other users have sent since the member joined, counted up to 1,000. */
  unreadCount: number;
  /** The number of these that mention the member, counted up to 1,000. */
  mentionCount: number;
}

/** What a member has set for a chat, for all of the member's devices. */
export interface PersonalSettings {
  /** Until when the member does not want to be notified of the chat; absent if the chat is not muted now. */
  mutedUntil?: Date;
}

/** A member that has received a message. */
export interface MessageReceipt {
  user: User;
  read: boolean;
}
