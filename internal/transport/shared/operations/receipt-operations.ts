import { validate as isUuid } from 'uuid';
import type {
  ChatServiceImplementation,
  MarkDeliveredRequest,
  MarkReadRequest,
  MarkUnreadRequest,
} from '../../../../pkg/api/chat/v1/chat.ts';
import { normalizeId } from '../../../converter/command.ts';
import { toWireMessage } from '../../../converter/message.ts';
import { fromPageToken, isString, toPageToken } from '../../../converter/page-token.ts';
import { toWireUser } from '../../../converter/user.ts';
import type { MentionKey } from '../../../repository/mention-repository.ts';
import type { ReceiptService } from '../../../service/chats/receipt-service.ts';
import type { CommandContext, OperationTable } from './operation.ts';

type Receipts = 'markRead' | 'markUnread' | 'markDelivered' | 'listReceipts' | 'listMentions' | 'muteChat';

interface Services {
  receipts: ReceiptService;
}

function markRead({ receipts }: Services, { chatId, seq, ifGeneration }: MarkReadRequest, { caller }: CommandContext) {
  return receipts.markRead(caller, normalizeId(chatId), seq, ifGeneration);
}

function markUnread({ receipts }: Services, { chatId, fromSeq }: MarkUnreadRequest, { caller }: CommandContext) {
  return receipts.markUnread(caller, normalizeId(chatId), fromSeq);
}

function markDelivered({ receipts }: Services, { chatId, seq }: MarkDeliveredRequest, { caller }: CommandContext) {
  return receipts.markDelivered(caller, normalizeId(chatId), seq);
}

/** The operations of chat.v1.ChatService on what members have read and received, and on what they set for themselves. */
export const receiptOperations = {
  markRead: {
    run: async (services, request, context) => {
      await markRead(services, request, context);
      return services.receipts.getReadMark('MarkRead', context.caller, normalizeId(request.chatId));
    },
    // Does not return the unread count: the time to count grows with the number of unread messages.
    inStream: markRead,
  },

  markUnread: {
    run: async (services, request, context) => {
      await markUnread(services, request, context);
      return services.receipts.getReadMark('MarkUnread', context.caller, normalizeId(request.chatId));
    },
    inStream: markUnread,
  },

  markDelivered: {
    run: async (services, request, context) => ({ deliveredSeq: await markDelivered(services, request, context) }),
    inStream: async (services, request, context) => void (await markDelivered(services, request, context)),
  },

  listReceipts: {
    run: async ({ receipts }, { chatId, messageId, pageSize, pageToken }, { caller, limit }) => {
      const after = fromPageToken(pageToken, isString);
      const message = { chatId: normalizeId(chatId), messageId };
      const page = await receipts.listReceipts(caller, message, limit(pageSize), after);
      const wire = page.items.map(({ user, read }) => ({ user: toWireUser(user), read }));
      return { receipts: wire, nextPageToken: toPageToken(page.next) };
    },
  },

  listMentions: {
    run: async ({ receipts }, { pageSize, pageToken }, { caller, limit }) => {
      const page = await receipts.listMentions(caller, limit(pageSize), fromPageToken(pageToken, isMentionKey));
      return { messages: page.items.map(toWireMessage), nextPageToken: toPageToken(page.next) };
    },
  },

  muteChat: {
    run: async ({ receipts }, { chatId, until }, { caller }) => {
      await receipts.muteChat(caller, normalizeId(chatId), until);
      return { mutedUntil: until };
    },
  },
} satisfies OperationTable<Pick<ChatServiceImplementation, Receipts>, Services>;

function isMentionKey(key: unknown): key is MentionKey {
  if (typeof key !== 'object' || key === null) return false;
  const { at, chatId, seq } = key as Partial<Record<keyof MentionKey, unknown>>;
  return isTime(at) && isUuid(chatId) && Number.isSafeInteger(seq);
}

/** Whether `value` is a time in milliseconds before the year 10000. Page tokens come from clients, so others must not reach a query. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 253_402_300_800_000;
}
