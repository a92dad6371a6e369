import type { Chat, FollowedThread, MessageReceipt, MessageVersion, Reaction, User } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';

/** Returns all of the user's chats, most recently changed first. Throws ChatClientError. */
export async function allChats(call: Call): Promise<Chat[]> {
  return allPages(async (pageToken) => {
    const { chats, nextPageToken } = await call('listChats', { pageToken });
    return { items: chats, nextPageToken };
  }, idOf);
}

/** Returns all users that have an open stream, or those of one chat. Throws ChatClientError. */
export async function allOnlineUsers(call: Call, chatId: string | undefined): Promise<User[]> {
  return allPages(async (pageToken) => {
    const { users, nextPageToken } = await call('listOnlineUsers', { chatId, pageToken });
    return { items: users, nextPageToken };
  }, idOf);
}

/** Returns all earlier texts of a message, oldest first. Throws ChatClientError. */
export async function allVersions(call: Call, chatId: string, messageId: string): Promise<MessageVersion[]> {
  return allPages(
    async (pageToken) => {
      const { versions, nextPageToken } = await call('listMessageVersions', { chatId, messageId, pageToken });
      return { items: versions, nextPageToken };
    },
    ({ version }) => version,
  );
}

/** Returns who reacted to a message, in the order of the reactions. Throws ChatClientError. */
export async function allReactions(call: Call, chatId: string, messageId: string): Promise<Reaction[]> {
  return allPages(
    async (pageToken) => {
      const { reactions, nextPageToken } = await call('listReactions', { chatId, messageId, pageToken });
      return { items: reactions, nextPageToken };
    },
    ({ seq }) => seq,
  );
}

/** Returns all threads that the user follows, or those of one chat, those with the newest messages first. Throws ChatClientError. */
export async function allThreads(call: Call, chatId: string | undefined): Promise<FollowedThread[]> {
  return allPages(
    async (pageToken) => {
      const { threads, nextPageToken } = await call('listThreads', { chatId, pageToken });
      return { items: threads, nextPageToken };
    },
    ({ root }) => root?.id,
  );
}

/** Returns all receipts of a message. Throws ChatClientError. */
export async function allReceipts(call: Call, chatId: string, messageId: string): Promise<MessageReceipt[]> {
  return allPages(
    async (pageToken) => {
      const { receipts, nextPageToken } = await call('listReceipts', { chatId, messageId, pageToken });
      return { items: receipts, nextPageToken };
    },
    ({ user }) => user?.id,
  );
}

const idOf = ({ id }: { id: string }) => id;

/** Reads all pages, in the service's default page size, which always respects its limit. */
async function allPages<T>(
  page: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
  keyOf: (item: T) => unknown,
): Promise<T[]> {
  const found = new Map<unknown, T>();
  let pageToken = '';
  do {
    const { items, nextPageToken } = await page(pageToken);
    // An item that moves while the pages are read may be on two of them.
    for (const item of items) if (!found.has(keyOf(item))) found.set(keyOf(item), item);
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return [...found.values()];
}
