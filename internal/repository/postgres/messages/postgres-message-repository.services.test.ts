import { afterAll, beforeAll, expect, test } from 'vitest';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { NewMessage } from '../../message-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const append = (...batch: NewMessage[]) => storage.messages.appendBatch(batch, ['MEMBER', 'ADMIN', 'OWNER']);
const byService = (chatId: string, options?: Parameters<typeof newMessage>[2]): NewMessage => ({
  ...newMessage(chatId, 'service:shop', options),
  asService: true,
});

async function newGroup(): Promise<string> {
  return (await storage.chats.createGroup(user('alice'), 'group', [])).chat.id;
}

test('a service’s message is stored in a chat that it is not a member of, and a user’s is not', async () => {
  const chatId = await newGroup();

  const answers = await append(
    newMessage(chatId, 'stranger'),
    byService(chatId),
    newMessage(chatId, 'alice'),
    newMessage(chatId, 'service:shop'),
    byService(chatId),
  );

  expect(answers.map(({ outcome, seq }) => [outcome, seq])).toEqual([
    ['not_a_member', null],
    ['stored', 2],
    ['stored', 3],
    ['not_a_member', null],
    ['stored', 4],
  ]);
  const { messages } = await storage.messages.listHistory(chatId, { afterSeq: 1 }, 10);
  expect(messages.map(({ sender }) => sender.id)).toEqual(['service:shop', 'alice', 'service:shop']);
});

test('a service’s message that is sent again is a repetition, and with other content it is refused', async () => {
  const chatId = await newGroup();
  const again = { text: 'your order is on its way', clientMessageId: 'order-7' };
  const [first] = await append(byService(chatId, again));

  const answers = [await append(byService(chatId, again)), await append(byService(chatId, { ...again, text: 'no' }))];

  expect(answers.flat().map(({ outcome, seq, messageId }) => [outcome, seq, messageId])).toEqual([
    ['repeated', 2, first?.messageId],
    ['reused', 2, first?.messageId],
  ]);
  expect((await storage.messages.listHeads([chatId])).get(chatId)).toBe(2);
});

test('a service cannot send to a chat that does not exist', async () => {
  const [answer] = await append(byService(crypto.randomUUID()));
  expect(answer?.outcome).toBe('chat_not_found');
});

test('a node of the version before can go on sending while this one is being rolled out', async () => {
  const chatId = await newGroup();
  const { id, sender, clientMessageId, contentHash, text } = newMessage(chatId, 'alice');
  const { rows } = await storage.database.pool.query(
    'select outcome, seq from append_messages($1, $2, $3, $4, $5, $6, $7, $8)',
    [[chatId], [id], [sender.id], [sender.name], [clientMessageId], [contentHash], [text], ['OWNER']],
  );
  expect(rows).toEqual([{ outcome: 'stored', seq: 2 }]);
});

test('a node of the version before goes on sending data', async () => {
  const chatId = await newGroup();
  const { id, sender, clientMessageId, contentHash, text } = newMessage(chatId, 'alice');
  const values = [[chatId], [id], [sender.id], [sender.name], [clientMessageId], [contentHash], [text], ['{"a": 1}']];
  const { rows } = await storage.database.pool.query(
    'select outcome, seq from append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    [...values, ['OWNER'], [], 0],
  );
  expect(rows).toEqual([{ outcome: 'stored', seq: 2 }]);
  expect((await storage.messages.get(chatId, id)).data).toEqual({ a: 1 });
});
