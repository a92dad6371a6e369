import { validate as isUuid } from 'uuid';
import type {
  ChatServiceImplementation,
  SendMessageRequest,
  SendTyping,
  UpdateChatRequest,
} from '../../../../pkg/api/chat/v1/chat.ts';
import { fromWireChatType, toWireChat } from '../../../converter/chat.ts';
import { fromWireDraft, fromWireUpdate, normalizeId } from '../../../converter/command.ts';
import { toWireMember } from '../../../converter/member.ts';
import { toWireMessage } from '../../../converter/message.ts';
import { fromPageToken, isString, toPageToken } from '../../../converter/page-token.ts';
import { toWireUser } from '../../../converter/user.ts';
import type { Receipt } from '../../../model/message.ts';
import type { Operation } from '../../../model/operations.ts';
import type { ChatsKey } from '../../../repository/chat-repository.ts';
import type { ChangeService } from '../../../service/chats/change-service.ts';
import type { ChatService } from '../../../service/chats/chat-service.ts';
import type { ModerationService } from '../../../service/chats/moderation-service.ts';
import type { ReactionService } from '../../../service/chats/reaction-service.ts';
import type { ReceiptService } from '../../../service/chats/receipt-service.ts';
import type { StreamService } from '../../../service/chats/stream-service.ts';
import type { ThreadService } from '../../../service/chats/thread-service.ts';
import { changeOperations } from './change-operations.ts';
import { toRange } from './history-range.ts';
import { isTimestamp } from './is-timestamp.ts';
import { moderationOperations } from './moderation-operations.ts';
import type { CommandContext, OperationTable, RunCommand } from './operation.ts';
import { reactionOperations } from './reaction-operations.ts';
import { receiptOperations } from './receipt-operations.ts';
import { streamMessageOperations } from './stream-message-operations.ts';
import { threadOperations } from './thread-operations.ts';

/** The services that implement chat.v1.ChatService. */
export interface ChatServices {
  chats: ChatService;
  changes: ChangeService;
  moderation: ModerationService;
  reactions: ReactionService;
  streams: StreamService;
  threads: ThreadService;
  receipts: ReceiptService;
}

function sendMessage(
  { chats }: ChatServices,
  request: SendMessageRequest,
  { caller, signal }: CommandContext,
): Promise<Receipt> {
  return chats.sendMessage(caller, fromWireDraft(request), signal);
}

function updateChat(
  { chats }: ChatServices,
  request: UpdateChatRequest,
  { caller }: CommandContext,
): Promise<Receipt | undefined> {
  return chats.updateChat(caller, fromWireUpdate(request));
}

/** The operations of chat.v1.ChatService. */
export const chatOperations = {
  ...moderationOperations,
  ...changeOperations,
  ...reactionOperations,
  ...streamMessageOperations,
  ...threadOperations,
  ...receiptOperations,

  createChat: {
    run: async ({ chats }, request, { caller }) => {
      const type = fromWireChatType(request.type);
      if (!type) throw new TypeError('an unspecified chat type passed the validation');
      const { chat, created } = await chats.createChat(caller, { ...request, type });
      return { chat: toWireChat(chat), created };
    },
  },

  getChat: {
    run: async ({ chats }, { chatId }, { caller }) => ({ chat: toWireChat(await chats.getChat(caller, chatId)) }),
  },

  listChats: {
    run: async ({ chats }, { pageSize, pageToken }, { caller, limit }) => {
      const page = await chats.listChats(caller, limit(pageSize), fromPageToken(pageToken, isChatsKey));
      return { chats: page.items.map(toWireChat), nextPageToken: toPageToken(page.next) };
    },
  },

  updateChat: {
    run: async (services, request, context) => (await updateChat(services, request, context)) ?? {},
    inStream: updateChat,
  },

  deleteChat: {
    run: async ({ chats }, { chatId }, { caller }) => {
      await chats.deleteChat(caller, normalizeId(chatId));
      return {};
    },
  },

  addMembers: {
    run: async ({ chats }, { chatId, userIds }, { caller }) => {
      const added = await chats.addMembers(caller, normalizeId(chatId), userIds);
      return { added: added.map(toWireMember) };
    },
  },

  listMembers: {
    run: async ({ chats }, { chatId, pageSize, pageToken }, { caller, limit }) => {
      const after = fromPageToken(pageToken, isString);
      const page = await chats.listMembers(caller, chatId, limit(pageSize), after);
      return { members: page.items.map(toWireMember), nextPageToken: toPageToken(page.next) };
    },
  },

  removeMember: {
    run: async ({ chats }, { chatId, userId }, { caller }) => {
      await chats.removeMember(caller, normalizeId(chatId), userId);
      return {};
    },
  },

  leaveChat: {
    run: async ({ chats }, { chatId }, { caller }) => {
      await chats.leaveChat(caller, normalizeId(chatId));
      return {};
    },
  },

  listRooms: {
    run: async ({ chats }, { filter, pageSize, pageToken }, { caller, limit }) => {
      const after = fromPageToken(pageToken, isString);
      const page = await chats.listRooms(caller, filter, limit(pageSize), after);
      return { rooms: page.items.map(toWireChat), nextPageToken: toPageToken(page.next) };
    },
  },

  joinRoom: {
    run: async ({ chats }, { name }, { caller }) => {
      const { chat, created } = await chats.joinRoom(caller, name);
      return { chat: toWireChat(chat), created };
    },
  },

  sendMessage: {
    run: sendMessage,
    inStream: sendMessage,
    pipelined: true,
  },

  getMessage: {
    run: async ({ chats }, { chatId, messageId }, { caller }) => {
      const { message, referenced } = await chats.getMessage(caller, chatId, messageId);
      return { message: toWireMessage(message), referenced: referenced.map(toWireMessage) };
    },
  },

  listMessages: {
    run: async ({ chats }, { chatId, beforeSeq, afterSeq, pageSize }, { caller, limit }) => {
      const range = toRange(beforeSeq, afterSeq);
      const { messages, referenced, ...page } = await chats.listMessages(caller, chatId, range, limit(pageSize));
      return { messages: messages.map(toWireMessage), referenced: referenced.map(toWireMessage), ...page };
    },
  },

  listOnlineUsers: {
    run: async ({ chats }, { chatId, pageSize, pageToken }, { caller, signal, limit }) => {
      const after = fromPageToken(pageToken, isString);
      const page = await chats.listOnlineUsers(caller, chatId, limit(pageSize), after, signal);
      return { users: page.items.map(toWireUser), nextPageToken: toPageToken(page.next) };
    },
  },
} satisfies OperationTable<ChatServiceImplementation, ChatServices>;

/** Operations without a unary method, by their field in the contract's `Command`. */
export const streamOnlyOperations = {
  typing: {
    operation: 'SendTyping',
    run: ({ chats }, { chatId }, { caller }) => chats.sendTyping(caller, normalizeId(chatId)),
  } satisfies { operation: Operation; run: RunCommand<ChatServices, SendTyping> },
};

function isChatsKey(key: unknown): key is ChatsKey {
  if (typeof key !== 'object' || key === null) return false;
  const { changedAt, id, since, moved } = key as Partial<Record<keyof ChatsKey, unknown>>;
  return isTimestamp(changedAt) && isUuid(id) && isTransactionId(since) && typeof moved === 'boolean';
}

/** Whether `value` is a transaction id of PostgreSQL as it writes one, of 32 bits. */
function isTransactionId(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32;
}
