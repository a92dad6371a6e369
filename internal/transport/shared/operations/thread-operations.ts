import { validate as isUuid } from 'uuid';
import type {
  ChatServiceImplementation,
  FollowThreadRequest,
  MarkThreadReadRequest,
  UnfollowThreadRequest,
} from '../../../../pkg/api/chat/v1/chat.ts';
import { normalizeId } from '../../../converter/command.ts';
import { toWireMessage } from '../../../converter/message.ts';
import { fromPageToken, toPageToken } from '../../../converter/page-token.ts';
import type { FollowedKey } from '../../../repository/thread-repository.ts';
import type { ThreadRequest, ThreadService } from '../../../service/chats/thread-service.ts';
import { toRange } from './history-range.ts';
import { isTimestamp } from './is-timestamp.ts';
import type { CommandContext, OperationTable } from './operation.ts';

type Threads = 'listThread' | 'followThread' | 'unfollowThread' | 'markThreadRead' | 'listThreads';

interface Services {
  threads: ThreadService;
}

async function followThread({ threads }: Services, request: FollowThreadRequest, { caller }: CommandContext) {
  await threads.followThread(caller, threadOf(request));
}

async function unfollowThread({ threads }: Services, request: UnfollowThreadRequest, { caller }: CommandContext) {
  await threads.unfollowThread(caller, threadOf(request));
}

function markThreadRead({ threads }: Services, request: MarkThreadReadRequest, { caller }: CommandContext) {
  return threads.markThreadRead(caller, threadOf(request), request.seq);
}

/** The operations of chat.v1.ChatService on threads. */
export const threadOperations = {
  listThread: {
    run: async ({ threads }, { beforeSeq, afterSeq, pageSize, ...request }, { caller, limit }) => {
      const range = toRange(beforeSeq, afterSeq);
      const page = await threads.listThread(caller, threadOf(request), range, limit(pageSize));
      const { root, messages, referenced, hasMore, epoch, readSeq } = page;
      return {
        root: toWireMessage(root),
        messages: messages.map(toWireMessage),
        referenced: referenced.map(toWireMessage),
        hasMore,
        epoch,
        following: readSeq !== undefined,
        readSeq: readSeq ?? 0,
      };
    },
  },

  followThread: {
    run: async (services, request, context) => {
      await followThread(services, request, context);
      return {};
    },
    inStream: followThread,
  },

  unfollowThread: {
    run: async (services, request, context) => {
      await unfollowThread(services, request, context);
      return {};
    },
    inStream: unfollowThread,
  },

  markThreadRead: {
    run: markThreadRead,
    inStream: async (services, request, context) => {
      await markThreadRead(services, request, context);
    },
  },

  listThreads: {
    run: async ({ threads }, { chatId, pageSize, pageToken }, { caller, limit }) => {
      const after = fromPageToken(pageToken, isFollowedKey);
      const page = await threads.listThreads(caller, chatId, limit(pageSize), after);
      return {
        threads: page.items.map((thread) => ({ ...thread, root: toWireMessage(thread.root) })),
        nextPageToken: toPageToken(page.next),
      };
    },
  },
} satisfies OperationTable<Pick<ChatServiceImplementation, Threads>, Services>;

function threadOf({ chatId, messageId }: ThreadRequest): ThreadRequest {
  return { chatId: normalizeId(chatId), messageId: normalizeId(messageId) };
}

function isFollowedKey(key: unknown): key is FollowedKey {
  if (typeof key !== 'object' || key === null) return false;
  const { activeAt, chatId, rootSeq } = key as Partial<Record<keyof FollowedKey, unknown>>;
  return isTimestamp(activeAt) && isUuid(chatId) && Number.isSafeInteger(rootSeq);
}
