import { afterAll, beforeAll, expect, test } from 'vitest';
import { seqOf } from '../../../model/entry.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** A group with `messages` messages after its system message, and with these members beside alice. */
async function newChat(messages: number, members: readonly string[] = []): Promise<string> {
  const { chat } = await storage.chats.createGroup(user('alice'), 'group', members);
  const batch = Array.from({ length: messages }, (_, i) => newMessage(chat.id, 'alice', { text: `${i + 1}` }));
  await storage.messages.appendBatch(batch, ['OWNER']);
  return chat.id;
}

/** The number of connections that `work` takes from the pool: one for each statement or transaction. */
async function statementsDuring(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const counted = () => {
    count += 1;
  };
  storage.database.pool.on('acquire', counted);
  await work();
  storage.database.pool.off('acquire', counted);
  return count;
}

test('many readers who are behind in a chat share its pages, and each gets all of its own changes', async () => {
  const members = Array.from({ length: 500 }, (_, i) => `member ${i}`);
  const chatId = await newChat(50, members);
  const statements = await statementsDuring(() =>
    Promise.all(
      members.map(async (userId, i) => {
        const afterSeq = 1 + (i % 7);
        const page = await storage.messages.findChangesAsMember(chatId, userId, afterSeq, 100);
        expect(page?.batch.entries.map(seqOf)).toEqual(
          Array.from({ length: 51 - afterSeq }, (_, n) => afterSeq + 1 + n),
        );
        expect(page).toMatchObject({ lastSeq: 51, hasMore: false });
      }),
    ),
  );
  expect(statements).toBeLessThan(20);
});

test('readers who lack the same changes are given the same batch, so that they share its frames', async () => {
  const chatId = await newChat(50, ['bob', 'carol']);
  const read = async (userId: string, afterSeq: number) =>
    (await storage.messages.findChangesAsMember(chatId, userId, afterSeq, 100))?.batch;
  const whole = await read('bob', 1);
  expect(await read('carol', 1)).toBe(whole);
  const rest = await read('bob', 7);
  expect(rest?.firstSeq).toBe(8);
  expect(await read('carol', 7)).toBe(rest);
});

test('a reader at the end of the chat gets the present state, not an earlier one', async () => {
  const chatId = await newChat(3);
  const read = (afterSeq: number) => storage.messages.findChangesAsMember(chatId, 'alice', afterSeq, 100);
  expect(await read(1)).toMatchObject({ lastSeq: 4 });
  await storage.messages.appendBatch([newMessage(chatId, 'alice', { text: 'new' })], ['OWNER']);
  expect((await read(4))?.batch.entries.map((entry) => 'message' in entry && entry.message.text)).toEqual(['new']);
  // A shared page ends where the chat ended when it was read; the next page has the rest.
  expect((await read(3))?.batch.entries.map(seqOf)).toContain(4);
});

test('a removed member gets nothing, also while a page is shared among the others', async () => {
  const chatId = await newChat(3, ['bob', 'carol']);
  const read = (userId: string) => storage.messages.findChangesAsMember(chatId, userId, 1, 100);
  expect((await read('bob'))?.batch.entries).toHaveLength(3);
  await storage.members.remove(chatId, user('alice'), 'carol', allow);
  expect(await read('carol')).toBeUndefined();
  expect(await read('stranger')).toBeUndefined();
  expect((await read('bob'))?.batch.entries).toHaveLength(3);
});

test('a user who is not a member and asks first does not keep the page from the members', async () => {
  const chatId = await newChat(3, ['bob']);
  const read = (userId: string) => storage.messages.findChangesAsMember(chatId, userId, 1, 100);
  const [stranger, bob] = await Promise.all([read('stranger'), read('bob')]);
  expect(stranger).toBeUndefined();
  expect(bob?.batch.entries).toHaveLength(3);
});

test('pages of another size are not mixed', async () => {
  const chatId = await newChat(10);
  const read = (limit: number) => storage.messages.findChangesAsMember(chatId, 'alice', 1, limit);
  const [two, all] = await Promise.all([read(2), read(100)]);
  expect([two?.hasMore, two?.batch.entries.map(seqOf)]).toEqual([true, [2, 3]]);
  expect(all?.batch.entries).toHaveLength(10);
});
