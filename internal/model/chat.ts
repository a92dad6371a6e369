import type { Membership, ReadMark } from './member.ts';
import type { Message } from './message.ts';
import type { User } from './user.ts';

/** What a room may be called: letters, digits, `_`, `-` and `.`, starting with a letter or digit. */
export const roomName = /^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,63}$/u;

export type ChatType = 'DIRECT' | 'GROUP' | 'ROOM';

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
