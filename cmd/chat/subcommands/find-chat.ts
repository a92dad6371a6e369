import { type Chat, type ChatClient, ChatClientError, ChatType } from '../../../pkg/chat-client/index.ts';
import { findUserId } from '../service/people.ts';
import { plainName } from '../text/plain-text.ts';

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/**
 * Finds an existing chat by its id, a room's name, or `@` and a user's name. Resolves with its id; throws NOT_FOUND.
 */
export async function findChatId(client: ChatClient, chat: string): Promise<string> {
  if (uuid.test(chat)) return chat;
  if (chat.startsWith('@')) {
    const userId = await findUserId(client, chat.slice(1));
    const direct = (await client.chats()).find(({ peer }) => peer?.id === userId);
    if (direct) return direct.id;
    const message = `there is no direct chat with ${plainName(chat.slice(1))}`;
    throw new ChatClientError(message, { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' });
  }
  const room = await findRoom(client, chat);
  if (room) return room.id;
  throw new ChatClientError(`there is no room ${plainName(chat)}`, { code: 'NOT_FOUND', reason: 'ROOM_NOT_FOUND' });
}

/** Like findChatId, but opens a direct chat that does not exist and joins a room. */
export async function enterChat(client: ChatClient, chat: string): Promise<string> {
  if (chat.startsWith('@')) return (await client.openDirect(await findUserId(client, chat.slice(1)))).id;
  const chatId = await findChatId(client, chat);
  const found = (await client.call('getChat', { chatId })).chat;
  if (found?.type === ChatType.ROOM && found.joinedSeq === 0) await client.joinRoom(found.name);
  return chatId;
}

async function findRoom(client: ChatClient, name: string): Promise<Chat | undefined> {
  for (let pageToken = ''; ; ) {
    const { rooms, nextPageToken } = await client.call('listRooms', { filter: name, pageSize: 200, pageToken });
    const room = rooms.find((candidate) => candidate.name === name);
    if (room || nextPageToken === '') return room;
    pageToken = nextPageToken;
  }
}
