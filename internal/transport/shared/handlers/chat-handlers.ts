import { validate as isUuid } from 'uuid';
import type { ChatServiceImplementation } from '../../../../pkg/api/chat/v1/chat.ts';
import { fromWireChatType, toWireChat, toWireMember, toWireMessage, toWireUser } from '../../../converter/chat.ts';
import { fromWireDraft, normalizeId } from '../../../converter/command.ts';
import { fromPageToken, isString, toPageToken } from '../../../converter/page-token.ts';
import { principalOf } from '../../../interceptor/call.ts';
import { invalidFieldsError } from '../../../model/errors.ts';
import type { ChatsKey } from '../../../repository/chat-repository.ts';
import type { HistoryRange } from '../../../repository/message-repository.ts';
import type { ChatService } from '../../../service/chats/chat-service.ts';
import type { ModerationService } from '../../../service/chats/moderation-service.ts';
import type { CallExt } from '../../grpc/middleware.ts';
import { createModerationHandlers } from './moderation-handlers.ts';
import { pageLimit } from './page-limit.ts';

interface Deps {
  chats: ChatService;
  moderation: ModerationService;
}

/** The unary part of chat.v1.ChatService over the service layer. Requests have been validated. */
export function createChatHandlers(
  { chats, moderation }: Deps,
  { maxPageSize }: { maxPageSize: number },
): Omit<ChatServiceImplementation<CallExt>, 'connectChat'> {
  const toLimit = pageLimit(maxPageSize);

  return {
    ...createModerationHandlers(moderation, { maxPageSize }),

    async createChat(request, { call }) {
      const type = fromWireChatType(request.type);
      if (!type) throw new TypeError('an unspecified chat type passed the validation');
      const { chat, created } = await chats.createChat(principalOf(call), { ...request, type });
      return { chat: toWireChat(chat), created };
    },

    async getChat({ chatId }, { call }) {
      return { chat: toWireChat(await chats.getChat(principalOf(call), chatId)) };
    },

    async listChats({ pageSize, pageToken }, { call }) {
      const page = await chats.listChats(principalOf(call), toLimit(pageSize), fromPageToken(pageToken, isChatsKey));
      return { chats: page.items.map(toWireChat), nextPageToken: toPageToken(page.next) };
    },

    async deleteChat({ chatId }, { call }) {
      await chats.deleteChat(principalOf(call), normalizeId(chatId));
      return {};
    },

    async addMembers({ chatId, userIds }, { call }) {
      const added = await chats.addMembers(principalOf(call), normalizeId(chatId), userIds);
      return { added: added.map(toWireMember) };
    },

    async listMembers({ chatId, pageSize, pageToken }, { call }) {
      const after = fromPageToken(pageToken, isString);
      const page = await chats.listMembers(principalOf(call), chatId, toLimit(pageSize), after);
      return { members: page.items.map(toWireMember), nextPageToken: toPageToken(page.next) };
    },

    async removeMember({ chatId, userId }, { call }) {
      await chats.removeMember(principalOf(call), normalizeId(chatId), userId);
      return {};
    },

    async leaveChat({ chatId }, { call }) {
      await chats.leaveChat(principalOf(call), normalizeId(chatId));
      return {};
    },

    async listRooms({ filter, pageSize, pageToken }, { call }) {
      const after = fromPageToken(pageToken, isString);
      const page = await chats.listRooms(principalOf(call), filter, toLimit(pageSize), after);
      return { rooms: page.items.map(toWireChat), nextPageToken: toPageToken(page.next) };
    },

    async joinRoom({ name }, { call }) {
      const { chat, created } = await chats.joinRoom(principalOf(call), name);
      return { chat: toWireChat(chat), created };
    },

    sendMessage(request, { call, signal }) {
      return chats.sendMessage(principalOf(call), fromWireDraft(request), signal);
    },

    async getMessage({ chatId, messageId }, { call }) {
      return { message: toWireMessage(await chats.getMessage(principalOf(call), chatId, messageId)) };
    },

    async listMessages({ chatId, beforeSeq, afterSeq, pageSize }, { call }) {
      const range = toRange(beforeSeq, afterSeq);
      const { messages, hasMore } = await chats.listMessages(principalOf(call), chatId, range, toLimit(pageSize));
      return { messages: messages.map(toWireMessage), hasMore };
    },

    async markRead({ chatId, seq }, { call }) {
      const id = normalizeId(chatId);
      await chats.markRead(principalOf(call), id, seq);
      const { readSeq, unreadCount } = await chats.getReadMark(principalOf(call), id);
      return { readSeq, unreadCount };
    },

    async listOnlineUsers({ chatId, pageSize, pageToken }, { call, signal }) {
      const after = fromPageToken(pageToken, isString);
      const page = await chats.listOnlineUsers(principalOf(call), chatId, toLimit(pageSize), after, signal);
      return { users: page.items.map(toWireUser), nextPageToken: toPageToken(page.next) };
    },
  };
}

function toRange(beforeSeq: number | undefined, afterSeq: number | undefined): HistoryRange {
  if (beforeSeq !== undefined && afterSeq !== undefined) {
    throw invalidFieldsError({ field: 'before_seq', description: 'must not be given together with after_seq' });
  }
  if (afterSeq !== undefined) return { afterSeq };
  return beforeSeq === undefined ? 'newest' : { beforeSeq };
}

function isChatsKey(key: unknown): key is ChatsKey {
  if (typeof key !== 'object' || key === null) return false;
  const { changedAt, id } = key as Partial<Record<keyof ChatsKey, unknown>>;
  return isTimestamp(changedAt) && isUuid(id);
}

const timestamp = /^([1-9]\d{3}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?[+-](0\d|1[0-5])(:[0-5]\d){0,2}$/;

/** As PostgreSQL writes one, with whatever offset: what it would not read must not reach it. */
function isTimestamp(value: unknown): boolean {
  const [, date = '', time = ''] = (typeof value === 'string' && timestamp.exec(value)) || [];
  const parsed = Date.parse(`${date}T${time}Z`);
  return !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(date);
}
