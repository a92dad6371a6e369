import { type Chat, type ChatClient, ChatClientError, ChatType } from '../../../pkg/chat-client/index.ts';
import { findUserId } from '../people.ts';
import { plainName } from '../plain-text.ts';

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** The id of the chat that is meant: by its id, by a room's name, or by `@` and a user's name. Throws NOT_FOUND. */
export async function findChatId(client: ChatClient, chat: string): Promise<string> {
  if (uuid.test(chat)) return chat;
  if (chat.startsWith('@')) return (await client.openDirect(await findUserId(client, chat.slice(1)))).id;
  const room = await findRoom(client, chat);
  if (room) return room.id;
  throw new ChatClientError(`there is no room ${plainName(chat)}`, { code: 'NOT_FOUND', reason: 'ROOM_NOT_FOUND' });
}

/** The same, and the user is a member of the room then. */
export async function enterChat(client: ChatClient, chat: string): Promise<string> {
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
