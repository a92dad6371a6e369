import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../testing/eventually.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

test('the messages of a new database are known to the planner as soon as there are some', async () => {
  const { pool } = storage.database;
  const known = async () => {
    const { rows } = await pool.query<{ messages: number }>(
      "select reltuples::int as messages from pg_class where oid = 'messages'::regclass",
    );
    return rows[0]!.messages;
  };
  const { chat } = await storage.chats.createGroup(user('alice'), 'group', []);
  const write = (count: number) =>
    storage.messages.appendBatch(
      Array.from({ length: count }, () => newMessage(chat.id, 'alice')),
      ['OWNER'],
    );
  await write(100);
  expect(await known()).toBe(-1);
  await write(100);
  await eventually(async () => expect(await known()).toBeGreaterThanOrEqual(200));
});
