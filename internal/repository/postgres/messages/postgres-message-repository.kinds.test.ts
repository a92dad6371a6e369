import { afterAll, beforeAll, expect, test } from 'vitest';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { NewMessage } from '../../message-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const append = (...batch: NewMessage[]) => storage.messages.appendBatch(batch, ['OWNER']);

test('a batch mixes ordinary messages with others, of several chats, and each reference is looked for in its chat', async () => {
  const chats = [
    await storage.chats.createGroup(user('alice'), 'a', []),
    await storage.chats.createGroup(user('alice'), 'b', []),
  ];
  const [one, other] = chats.map(({ chat }) => chat.id) as [string, string];
  const [first] = await append(newMessage(one, 'alice'));
  const replyToId = first!.messageId;

  const answers = await append(
    newMessage(one, 'alice', { type: 'a' }),
    newMessage(other, 'alice', { replyToId }),
    newMessage(one, 'alice'),
    newMessage(one, 'alice', { replyToId, rootId: replyToId }),
    newMessage(one, 'alice', { rootId: crypto.randomUUID() }),
    newMessage(other, 'alice', { silent: true, data: { a: 1 } }),
  );

  expect(answers.map(({ outcome, seq, replyToSeq, rootId }) => [outcome, seq, replyToSeq, rootId])).toEqual([
    ['stored', 3, undefined, undefined],
    ['reply_not_found', null, undefined, undefined],
    ['stored', 4, undefined, undefined],
    ['stored', 5, 2, replyToId],
    ['root_not_found', null, undefined, undefined],
    ['stored', 2, undefined, undefined],
  ]);
  const { messages } = await storage.messages.listHistory(one, { afterSeq: 2 }, 10);
  expect(messages).toMatchObject([
    { type: 'a', silent: undefined, replyTo: undefined, rootId: undefined },
    { type: undefined, data: undefined },
    { replyTo: { messageId: replyToId, seq: 2 }, rootId: replyToId },
  ]);
  expect((await storage.messages.listHistory(other, { afterSeq: 1 }, 10)).messages).toMatchObject([
    { silent: true, data: { a: 1 } },
  ]);
});

test('a message refers to nothing that nobody may see, nor to a thread whose first message is hidden', async () => {
  const { chat, message: system } = await storage.chats.createGroup(user('alice'), 'group', []);
  const [root] = await append(newMessage(chat.id, 'alice'));
  const [reply] = await append(newMessage(chat.id, 'alice', { rootId: root!.messageId }));
  await storage.delete({ chatId: chat.id, id: root!.messageId }, true);

  const refused = async (...ids: string[]) =>
    (
      await append(
        ...ids
          .flatMap((id) => [{ replyToId: id }, { rootId: id }])
          .map((options) => newMessage(chat.id, 'alice', options)),
      )
    ).map(({ outcome }) => outcome);

  expect(await refused(system.id, root!.messageId)).toEqual([
    'reply_not_found',
    'root_not_found',
    'reply_not_found',
    'root_not_found',
  ]);
  expect(await refused(reply!.messageId)).toEqual(['stored', 'root_not_found']);
});
