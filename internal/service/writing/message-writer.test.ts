import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Draft, Message } from '../../model/message.ts';
import { FaultyMessages } from '../../testing/faults/faulty-messages.ts';
import { messagesOf } from '../../testing/messages-of.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import type { WriterOptions } from './batch-writer.ts';
import { MessageWriter } from './message-writer.ts';

let storage: TestStorage;
let messages: FaultyMessages;
let bus: MemoryBus;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());
beforeEach(() => {
  messages = new FaultyMessages(storage.messages);
  bus = new MemoryBus();
});

function newWriter(options: Partial<WriterOptions> = {}): MessageWriter {
  const defaults = { maxBatch: 100, maxInFlight: 2, maxQueued: 1_000, giveUpAfterMs: 5_000 };
  return new MessageWriter(
    { messages: messages.repository, bus, log: pino({ level: 'silent' }) },
    { ...defaults, ...options },
  );
}

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(user('alice'), 'group', memberIds)).chat.id;
}

function draft(chatId: string, text = 'text', { senderId = 'alice', clientMessageId = randomUUID() } = {}): Draft {
  return { chatId, text, clientMessageId, sender: user(senderId) };
}

async function texts(chatId: string): Promise<string[]> {
  const { messages } = await storage.messages.listHistory(chatId, { afterSeq: 1 }, 10_000);
  return messages.map(({ text }) => text);
}

async function published(chatId: string): Promise<Message[]> {
  const all: Message[] = [];
  await bus.subscribeToChat(chatId, (publication) => {
    all.push(...messagesOf(publication));
  });
  return all;
}

describe('a batch', () => {
  test('is begun at once when the writer is idle', async () => {
    const chatId = await newGroup();
    const writer = newWriter();
    const appended = writer.append(draft(chatId));
    await nextTurn();
    expect(messages.batches).toHaveLength(1);
    await appended;
  });

  test('collects the messages that arrive while another batch is being committed', async () => {
    const chatId = await newGroup();
    const writer = newWriter({ maxBatch: 30 });
    const first = writer.append(draft(chatId));
    await nextTurn();
    await Promise.all([first, ...Array.from({ length: 70 }, (_, i) => writer.append(draft(chatId, `${i}`)))]);
    expect(messages.batches.map(({ length }) => length)).toEqual([1, 30, 30, 10]);
  });

  test('never contains a chat of another batch that is being committed, so each chat keeps the order of the calls', async () => {
    const chatIds = await Promise.all([newGroup(), newGroup(), newGroup()]);
    const writer = newWriter({ maxBatch: 7, maxInFlight: 3 });
    const underWay = new Set<string>();
    let most = 0;
    messages.onAppend = async (commit, batch) => {
      const own = new Set(batch.map(({ chatId }) => chatId));
      for (const chatId of own) {
        expect(underWay).not.toContain(chatId);
        underWay.add(chatId);
      }
      most = Math.max(most, underWay.size);
      const outcomes = await commit();
      for (const chatId of own) underWay.delete(chatId);
      return outcomes;
    };

    const sends = Array.from({ length: 150 }, (_, i) => writer.append(draft(chatIds[i % 3]!, `${i}`)));
    const seqs = (await Promise.all(sends)).map(({ seq }) => seq);

    expect(most).toBeGreaterThan(1);
    for (const [c, chatId] of chatIds.entries()) {
      const own = Array.from({ length: 50 }, (_, i) => `${i * 3 + c}`);
      expect(await texts(chatId)).toEqual(own);
      expect(seqs.filter((_, i) => i % 3 === c)).toEqual(own.map((_, i) => i + 2));
    }
  });

  test('is published on the bus after its commit, each chat’s messages in order', async () => {
    const [chatId, otherChatId] = await Promise.all([newGroup(), newGroup()]);
    const [heard, others] = [await published(chatId), await published(otherChatId)];
    const early: unknown[] = [];
    await bus.subscribeToChat(chatId, (publication) => {
      for (const { id } of messagesOf(publication).slice(0, 1)) early.push(storage.messages.get(chatId, id));
    });
    const writer = newWriter({ maxBatch: 10 });

    const receipts = await Promise.all(
      Array.from({ length: 40 }, (_, i) => writer.append(draft(i % 4 ? chatId : otherChatId, `${i}`))),
    );

    await Promise.all(early);
    expect([heard.length, others.length]).toEqual([30, 10]);
    expect(heard).toEqual((await storage.messages.listHistory(chatId, { afterSeq: 1 }, 100)).messages);
    expect(heard.map(({ id }) => id)).toEqual(receipts.filter((_, i) => i % 4).map(({ messageId }) => messageId));
  });
});

describe('a message', () => {
  test('sent twice at once is stored once, published once, and both get the same receipt', async () => {
    const chatId = await newGroup();
    const heard = await published(chatId);
    const writer = newWriter();
    const same = draft(chatId);
    const [first, ...others] = await Promise.all([
      writer.append(same),
      writer.append(same),
      writer.append({ ...same }),
    ]);
    expect(others).toEqual([first, first]);
    expect(heard).toHaveLength(1);
    expect(await texts(chatId)).toHaveLength(1);
  });

  test('sent again with other content is refused, also while the first one is being committed', async () => {
    const chatId = await newGroup();
    const writer = newWriter();
    const first = draft(chatId, 'first');
    const results = await Promise.allSettled([writer.append(first), writer.append({ ...first, text: 'other' })]);
    expect(results).toMatchObject([{ status: 'fulfilled' }, { reason: { reason: 'MESSAGE_ID_REUSED' } }]);
    expect(await texts(chatId)).toEqual(['first']);
  });

  test('is refused if its sender may not send, and users who are not members do not learn whether the chat exists', async () => {
    const chatId = await newGroup(['reader']);
    await storage.database.pool.query(`update members set role = 'READER' where user_id = 'reader'`);
    const { chat: room } = await storage.chats.createRoom(user('alice'), randomUUID(), []);
    const { chat: direct } = await storage.chats.openDirect(user('alice'), randomUUID());
    const writer = newWriter();
    const refusal = (chatId: string, senderId: string) =>
      writer.append(draft(chatId, 'x', { senderId })).catch((error) => error.reason);
    expect(await refusal(chatId, 'reader')).toBe('ROLE_TOO_LOW');
    expect(await refusal(room.id, 'stranger')).toBe('NOT_A_MEMBER');
    expect(await refusal(chatId, 'stranger')).toBe('CHAT_NOT_FOUND');
    expect(await refusal(direct.id, 'stranger')).toBe('CHAT_NOT_FOUND');
    expect(await refusal(randomUUID(), 'alice')).toBe('CHAT_NOT_FOUND');
  });

  test('that the database refuses is refused alone, and the others of its batch are stored in order', async () => {
    const [chatId, otherChatId] = await Promise.all([newGroup(), newGroup()]);
    const writer = newWriter({ maxInFlight: 1 });
    const given = ['first', 'a', 'b', '\0', 'c', 'd', '\0', 'e'];
    const sends = given.map((text) => writer.append(draft(chatId, text)));
    const others = ['x', 'y'].map((text) => writer.append(draft(otherChatId, text)));

    const results = await Promise.allSettled(sends);

    await Promise.all(others);
    expect(results.map(({ status }) => status)).toEqual(
      given.map((text) => (text === '\0' ? 'rejected' : 'fulfilled')),
    );
    expect(await texts(chatId)).toEqual(given.filter((text) => text !== '\0'));
    expect(await texts(otherChatId)).toEqual(['x', 'y']);
  });

  test('is refused if its sender is removed from the chat while it waits', async () => {
    const chatId = await newGroup(['bob']);
    const writer = newWriter();
    const release = messages.hold();
    const appended = writer.append(draft(chatId, 'x', { senderId: 'bob' }));
    await storage.members.remove(chatId, user('alice'), 'bob', allow);
    release();
    await expect(appended).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  });
});

describe('a writer that cannot keep up', () => {
  test('refuses messages over its limit with a retry time, and takes more as soon as there is room', async () => {
    const chatId = await newGroup();
    const writer = newWriter({ maxQueued: 3 });
    const release = messages.hold();
    const first = writer.append(draft(chatId, '0'));
    await nextTurn();
    const sends = [first, ...['1', '2', '3'].map((text) => writer.append(draft(chatId, text)))];

    await expect(writer.append(draft(chatId, 'over'))).rejects.toMatchObject({
      reason: 'WRITER_BUSY',
      retryAfterMs: expect.any(Number),
    });

    release();
    await Promise.all(sends);
    await writer.append(draft(chatId, 'later'));
    expect(await texts(chatId)).toEqual(['0', '1', '2', '3', 'later']);
  });

  test('withdraws a waiting message whose call was cancelled, but not one that is being committed', async () => {
    const chatId = await newGroup();
    const writer = newWriter();
    const release = messages.hold();
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    const sends = [writer.append(draft(chatId, '0'), first.signal)];
    await nextTurn();
    sends.push(...[second, third].map(({ signal }, i) => writer.append(draft(chatId, `${i + 1}`), signal)));
    first.abort();
    second.abort();

    await expect(sends[1]).rejects.toMatchObject({ reason: 'CLIENT_GONE' });

    release();
    await Promise.all([sends[0], sends[2]]);
    third.abort();
    expect(await texts(chatId)).toEqual(['0', '2']);
  });

  test('does not take a message whose call was already cancelled', async () => {
    const chatId = await newGroup();
    await expect(newWriter().append(draft(chatId), AbortSignal.abort())).rejects.toMatchObject({
      reason: 'CLIENT_GONE',
    });
    expect(await texts(chatId)).toEqual([]);
  });

  test('is drained when all waiting messages are committed', async () => {
    const chatIds = await Promise.all([newGroup(), newGroup(), newGroup()]);
    const writer = newWriter({ maxBatch: 2, maxInFlight: 1 });
    const sends = Array.from({ length: 20 }, (_, i) => writer.append(draft(chatIds[i % 3]!, `${i}`)));
    await writer.drain();
    const counts = await Promise.all(chatIds.map(async (chatId) => (await texts(chatId)).length));
    expect(counts).toEqual([7, 7, 6]);
    await Promise.all(sends);
    await writer.drain();
  });
});
