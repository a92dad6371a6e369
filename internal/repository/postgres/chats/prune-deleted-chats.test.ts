import { afterAll, beforeAll, expect, test } from 'vitest';
import { messagesOf } from '../../../testing/services/chat-state.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { pruneDeletedChats } from './prune-deleted-chats.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [alice, _bob, _carol] = [user('alice'), user('bob'), user('carol')];

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', memberIds)).chat.id;
}

test('the messages of deleted chats are removed in pieces, and those of other chats stay', async () => {
  const chatIds = [await newGroup(['bob']), await newGroup(['bob']), await newGroup(['bob'])];
  const [first, second, kept] = chatIds as [string, string, string];
  for (const chatId of chatIds) await storage.members.add(chatId, alice, ['carol'], allow);
  await storage.chats.delete(first, alice, allow);
  await storage.chats.delete(second, alice, allow);
  const left = () => Promise.all(chatIds.map(async (chatId) => (await messagesOf(storage, chatId)).length));

  expect(await left()).toEqual([2, 2, 2]);
  expect(await pruneDeletedChats(storage.database.db, 3)).toBe(3);
  expect((await left()).reduce((sum, count) => sum + count)).toBe(3);
  expect(await pruneDeletedChats(storage.database.db, 3)).toBe(1);
  expect(await left()).toEqual([0, 0, 2]);
  expect((await storage.database.pool.query('select from deleted_chats')).rowCount).toBe(0);
  await expect(storage.chats.get(kept, 'alice')).resolves.toMatchObject({ id: kept });
});

test('the mentions go with the messages of a deleted chat', async () => {
  const chatId = await newGroup(['bob']);
  const mentions = [{ userId: 'bob', everyone: false, offset: 0, length: 1 }];
  await storage.messages.appendBatch([newMessage(chatId, 'alice', { mentions })], ['OWNER']);
  const rows = async () =>
    (await storage.database.pool.query('select from mentions where chat_id = $1', [chatId])).rowCount;
  expect(await rows()).toBe(1);
  await storage.chats.delete(chatId, alice, allow);
  while ((await pruneDeletedChats(storage.database.db, 100)) === 100);
  expect(await rows()).toBe(0);
});
