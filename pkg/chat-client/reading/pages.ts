import type { Chat, User } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';

/** All of the user's chats, the one that changed last first. */
export async function allChats(call: Call): Promise<Chat[]> {
  return allPages(async (pageToken) => {
    const { chats, nextPageToken } = await call('listChats', { pageToken });
    return { items: chats, nextPageToken };
  });
}

/** All users with an open stream, of one chat or of all. */
export async function allOnlineUsers(call: Call, chatId: string | undefined): Promise<User[]> {
  return allPages(async (pageToken) => {
    const { users, nextPageToken } = await call('listOnlineUsers', { chatId, pageToken });
    return { items: users, nextPageToken };
  });
}

/** Of the service's own size: how large pages may be is its affair. */
async function allPages<T extends { id: string }>(
  page: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
): Promise<T[]> {
  const found = new Map<string, T>();
  let pageToken = '';
  do {
    const { items, nextPageToken } = await page(pageToken);
    // What moves while the pages are read may be on two of them.
    for (const item of items) if (!found.has(item.id)) found.set(item.id, item);
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return [...found.values()];
}
