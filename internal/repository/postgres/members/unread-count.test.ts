import { afterAll, beforeAll, expect, test } from 'vitest';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { maxUnreadCount } from './unread-count.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

test('unread messages are counted exactly up to a limit, in every answer alike', async () => {
  const { chat } = await storage.chats.createGroup(user('alice'), 'group', ['bob']);
  const send = (count: number) =>
    storage.messages.appendBatch(
      Array.from({ length: count }, () => newMessage(chat.id, 'alice')),
      ['OWNER'],
    );
  const counts = async () => {
    const mark = await storage.readMarks.find(chat.id, 'bob');
    const shown = await storage.chats.get(chat.id, 'bob');
    const listed = await storage.chats.listOfUser('bob', 10);
    return [mark?.unreadCount, shown.own?.unreadCount, listed.items[0]?.own?.unreadCount];
  };
  await send(maxUnreadCount - 1);
  expect(await counts()).toEqual([maxUnreadCount - 1, maxUnreadCount - 1, maxUnreadCount - 1]);
  await send(5);
  expect(await counts()).toEqual([maxUnreadCount, maxUnreadCount, maxUnreadCount]);
  await storage.readMarks.advance(chat.id, 'bob', { seq: 10, ifGeneration: undefined });
  expect(await counts()).toEqual([995, 995, 995]);
});
