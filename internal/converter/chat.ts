import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Chat, ChatType } from '../model/chat.ts';
import type { Complete } from '../model/complete.ts';
import { toWireRole } from './member.ts';
import { toWireMessage } from './message.ts';
import { toWireUser } from './user.ts';

export function toWireChat(chat: Chat): Complete<wire.Chat> {
  return {
    id: chat.id,
    type: wire.ChatType[chat.type],
    name: chat.name,
    description: chat.description,
    data: chat.data,
    lastSeq: chat.lastSeq,
    createdAt: chat.createdAt,
    createdBy: chat.createdBy,
    memberCount: chat.memberCount,
    ownRole: toWireRole(chat.own?.role),
    joinedSeq: chat.own?.joinedSeq ?? 0,
    peer: chat.peer && toWireUser(chat.peer),
    lastMessage: chat.lastMessage && toWireMessage(chat.lastMessage),
    readSeq: chat.own?.readSeq ?? 0,
    unreadCount: chat.own?.unreadCount ?? 0,
    readGeneration: chat.own?.readGeneration ?? 0,
    mentionCount: chat.own?.mentionCount ?? 0,
    mutedUntil: chat.own?.mutedUntil,
  };
}

const types: Record<wire.ChatType, ChatType | undefined> = {
  [wire.ChatType.UNSPECIFIED]: undefined,
  [wire.ChatType.DIRECT]: 'DIRECT',
  [wire.ChatType.GROUP]: 'GROUP',
  [wire.ChatType.ROOM]: 'ROOM',
};

/** Converts a chat type; undefined for UNSPECIFIED. */
export function fromWireChatType(type: wire.ChatType): ChatType | undefined {
  return types[type];
}
