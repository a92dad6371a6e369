import type { User } from './user.ts';

/** What a member may do in a chat, least first. */
export const chatRoles = ['READER', 'MEMBER', 'ADMIN', 'OWNER'] as const;
export type ChatRole = (typeof chatRoles)[number];

export interface Member {
  user: User;
  role: ChatRole;
  joinedAt: Date;
  readSeq: number;
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
