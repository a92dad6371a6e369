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
}

export interface Membership {
  role: ChatRole;
  /** The number of the system message with which the user became a member. */
  joinedSeq: number;
}

/** How far a member has read. */
export interface ReadMark {
  /** The number of the last message that the member has read. */
  readSeq: number;
  /** The number of later messages that other users have sent since the member joined, counted up to 1,000. */
  unreadCount: number;
}
