import type { ChatFields } from './chat-fields.ts';
import type { Membership, PersonalSettings, ReadMark } from './member.ts';
import type { Message } from './message.ts';
import type { User } from './user.ts';

/** The form of a room's name: letters, digits, `_`, `-` and `.`, starting with a letter or digit. */
export const roomName = /^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,63}$/u;

export type ChatType = 'DIRECT' | 'GROUP' | 'ROOM';

/** A chat as the caller sees it. */
export interface Chat extends ChatFields {
  id: string;
  type: ChatType;
  /** The number of the chat's last change; 0 if there was none. */
  lastSeq: number;
  createdAt: Date;
  createdBy: string;
  memberCount: number;
  /** The caller's membership; absent if the caller is not a member. */
  own?: Membership & ReadMark & PersonalSettings;
  /** The other user of a direct chat. */
  peer?: User;
  lastMessage?: Message;
}
