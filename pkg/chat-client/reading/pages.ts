import type { Chat, User } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';

/** Returns all of the user's chats, most recently changed first. Throws ChatClientError. */
export async function allChats(call: Call): Promise<Chat[]> {
  return allPages(async (pageToken) => {
    const { chats, nextPageToken } = await call('listChats', { pageToken });
    return { items: chats, nextPageToken };
  });
}

/** Returns all users that have an open stream, or those of one chat. Throws ChatClientError. */
export async function allOnlineUsers(call: Call, chatId: string | undefined): Promise<User[]> {
  return allPages(async (pageToken) => {
    const { users, nextPageToken } = await call('listOnlineUsers', { chatId, pageToken });
    return { items: users, nextPageToken };
  });
}

/** Reads all pages, in the service's default page size, which always respects its limit. */
async function allPages<T extends { id: string }>(
  page: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
): Promise<T[]> {
  const found = new Map<string, T>();
  let pageToken = '';
  do {
    const { items, nextPageToken } = await page(pageToken);
    // An item that moves while the pages are read may be on two of them.
    for (const item of items) if (!found.has(item.id)) found.set(item.id, item);
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return [...found.values()];
}
