import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Chat, ChatType } from '../model/chat.ts';
import type { ChatRole, Member } from '../model/member.ts';
import type { Message, SystemEvent } from '../model/message.ts';
import type { User } from '../model/user.ts';

export function toWireUser({ id, name }: User): wire.User {
  return { id, name };
}

export function toWireChat(chat: Chat): wire.Chat {
  return {
    id: chat.id,
    type: wire.ChatType[chat.type],
    name: chat.name,
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
  };
}

/** Undefined for the unspecified type. */
export function fromWireChatType(type: wire.ChatType): ChatType | undefined {
  switch (type) {
    case wire.ChatType.DIRECT:
      return 'DIRECT';
    case wire.ChatType.GROUP:
      return 'GROUP';
    case wire.ChatType.ROOM:
      return 'ROOM';
    case wire.ChatType.UNSPECIFIED:
      return undefined;
    default:
      return type satisfies never;
  }
}

export function toWireMember({ user, role, joinedAt, readSeq }: Member): wire.Member {
  return { user: toWireUser(user), role: toWireRole(role), joinedAt, readSeq };
}

export function toWireMessage(message: Message): wire.Message {
  return {
    id: message.id,
    chatId: message.chatId,
    seq: message.seq,
    updateSeq: message.updateSeq,
    sender: toWireUser(message.sender),
    clientMessageId: message.clientMessageId,
    text: message.text,
    createdAt: message.createdAt,
    system: message.system && { event: toWireSystemEvent(message.system) },
  };
}

function toWireRole(role: ChatRole | undefined): wire.ChatRole {
  return role ? wire.ChatRole[role] : wire.ChatRole.UNSPECIFIED;
}

function toWireSystemEvent(event: SystemEvent): NonNullable<wire.SystemMessage['event']> {
  switch (event.kind) {
    case 'chat_created':
      return { $case: 'chatCreated', value: {} };
    case 'members_added':
      return { $case: 'membersAdded', value: { users: event.users.map(toWireUser) } };
    case 'member_removed':
      return { $case: 'memberRemoved', value: { user: toWireUser(event.user), banned: event.banned ?? false } };
    case 'member_joined':
      return { $case: 'memberJoined', value: {} };
    case 'member_left':
      return { $case: 'memberLeft', value: {} };
    case 'owner_changed':
      return { $case: 'ownerChanged', value: { user: toWireUser(event.user) } };
    case 'role_changed':
      return { $case: 'roleChanged', value: { user: toWireUser(event.user), role: toWireRole(event.role) } };
    default:
      return event satisfies never;
  }
}
