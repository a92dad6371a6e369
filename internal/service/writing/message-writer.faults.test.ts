import { randomUUID } from 'node:crypto';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Draft } from '../../model/message.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { PostgresMessageRepository } from '../../repository/postgres/messages/postgres-message-repository.ts';
import { FaultyMessages } from '../../testing/faults/faulty-messages.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { MessageWriter } from './message-writer.ts';

let storage: TestStorage;
let proxy: TcpProxy;
let database: Database;
let messages: FaultyMessages;
let bus: MemoryBus;
beforeAll(async () => {
  storage = await openTestStorage();
  proxy = await startTcpProxy(storage.dsn);
  database = createDatabase({ dsn: proxy.dsn, poolSize: 4, statementTimeoutMs: 5_000, onError: () => {} });
});
afterAll(async () => {
  await database.close();
  await proxy.close();
  await storage.close();
});
beforeEach(() => {
  proxy.restore();
  messages = new FaultyMessages(new PostgresMessageRepository(database));
  bus = new MemoryBus();
});

function newWriter(giveUpAfterMs: number): MessageWriter {
  const options = { maxBatch: 100, maxInFlight: 2, maxQueued: 1_000, giveUpAfterMs };
  return new MessageWriter({ messages: messages.repository, bus, log: pino({ level: 'silent' }) }, options);
}

async function newGroup(): Promise<string> {
  return (await storage.chats.createGroup(user('alice'), 'group', [])).chat.id;
}

function draft(chatId: string, text = 'text'): Draft {
  return { chatId, text, clientMessageId: randomUUID(), sender: user('alice') };
}

async function log(chatId: string) {
  return (await storage.messages.listHistory(chatId, { afterSeq: 1 }, 1_000)).messages;
}

async function publications(chatId: string): Promise<ChatPublication[]> {
  const all: ChatPublication[] = [];
  await bus.subscribeToChat(chatId, (publication) => all.push(publication));
  return all;
}

describe('while the database is away', () => {
  test('messages wait, and are stored in order as soon as it is back', async () => {
    const chatIds = await Promise.all([newGroup(), newGroup(), newGroup()]);
    const writer = newWriter(20_000);
    await writer.append(draft(chatIds[0]!, 'before'));
    proxy.cut();
    const sends = Array.from({ length: 30 }, (_, i) => writer.append(draft(chatIds[i % 3]!, `${i}`)));
    await expect(Promise.race([...sends, delay(400, 'waiting')])).resolves.toBe('waiting');

    proxy.restore();

    await Promise.all(sends);
    for (const [c, chatId] of chatIds.entries()) {
      const expected = Array.from({ length: 10 }, (_, i) => `${i * 3 + c}`);
      expect((await log(chatId)).map(({ text }) => text).filter((text) => text !== 'before')).toEqual(expected);
    }
  });

  test('nothing of a chat overtakes a batch that is tried again', async () => {
    const chatId = await newGroup();
    const writer = newWriter(5_000);
    let attempts = 0;
    messages.onAppend = async (commit, batch) => {
      if (batch[0]?.text !== 'first') return commit();
      attempts += 1;
      if (attempts === 1) throw storageUnavailable(new Error('away'));
      await delay(100);
      return commit();
    };
    const first = writer.append(draft(chatId, 'first'));
    await nextTurn();
    await Promise.all([first, ...['second', 'third'].map((text) => writer.append(draft(chatId, text)))]);
    expect((await log(chatId)).map(({ text }) => text)).toEqual(['first', 'second', 'third']);
  });

  test('for too long, each message is refused in time and told when to try again, the waiting ones too', async () => {
    const chatIds = await Promise.all(Array.from({ length: 5 }, newGroup));
    const writer = newWriter(600);
    proxy.cut();
    const started = performance.now();
    const sends = Array.from({ length: 25 }, (_, i) => writer.append(draft(chatIds[i % 5]!, `${i}`)));

    const results = await Promise.allSettled(sends);

    const elapsedMs = performance.now() - started;
    expect(elapsedMs).toBeGreaterThan(550);
    expect(elapsedMs).toBeLessThan(1_600);
    for (const result of results) {
      expect(result).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE', retryAfterMs: expect.any(Number) } });
    }
    proxy.restore();
    await writer.append(draft(chatIds[0]!, 'later'));
    expect((await log(chatIds[0]!)).map(({ text }) => text)).toEqual(['later']);
  });

  test('a message waits no longer than it may, even when the database does not answer at all', async () => {
    const [chatId, otherChatId] = await Promise.all([newGroup(), newGroup()]);
    const writer = newWriter(400);
    const release = messages.hold();
    const started = performance.now();
    const sends = [writer.append(draft(chatId, 'under way'))];
    await nextTurn();
    sends.push(...[chatId, otherChatId, otherChatId].map((id) => writer.append(draft(id, 'waiting'))));

    const results = await Promise.allSettled(sends);

    expect(performance.now() - started).toBeLessThan(1_400);
    for (const result of results) expect(result).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE' } });
    release();
    await writer.drain();
    // What was under way may be stored all the same, but nothing that was still waiting.
    expect((await log(chatId)).map(({ text }) => text)).toEqual(['under way']);
  });
});

describe('when the answer is lost', () => {
  test('the message is acknowledged with the id and number that it was stored under, and stored once', async () => {
    const chatId = await newGroup();
    const heard = await publications(chatId);
    const writer = newWriter(5_000);
    messages.loseNextAnswer();

    const receipt = await writer.append(draft(chatId, 'once'));

    expect(await log(chatId)).toMatchObject([{ id: receipt.messageId, seq: receipt.seq, text: 'once' }]);
    expect(messages.batches).toHaveLength(2);
    // Nobody has published the message, and its readers are told to look.
    expect(heard).toEqual([{ kind: 'head', seq: receipt.seq }]);
  });

  test('readers are told of the highest number, also when the batch had a repetition of something older', async () => {
    const chatId = await newGroup();
    const writer = newWriter(5_000);
    const old = draft(chatId, 'old');
    const first = await writer.append(old);
    const heard = await publications(chatId);
    let lost = false;
    messages.onAppend = async (commit, batch) => {
      const outcomes = await commit();
      if (batch.length < 2 || lost) return outcomes;
      lost = true;
      throw storageUnavailable(new Error('the answer was lost'));
    };
    const blocking = writer.append(draft(chatId, 'blocking'));
    await nextTurn();
    const sends = [writer.append(draft(chatId, 'new')), writer.append(old)];

    await blocking;
    const [fresh, repeated] = await Promise.all(sends);

    expect(repeated).toEqual(first);
    expect(heard.filter(({ kind }) => kind === 'head')).toEqual([{ kind: 'head', seq: fresh?.seq }]);
  });

  test('what comes after it in the same chat stays after it', async () => {
    const chatId = await newGroup();
    const writer = newWriter(5_000);
    messages.loseNextAnswer();
    const sends = Array.from({ length: 10 }, (_, i) => writer.append(draft(chatId, `${i}`)));
    const receipts = await Promise.all(sends);
    expect(receipts.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await log(chatId)).map(({ text }) => text)).toEqual(sends.map((_, i) => `${i}`));
  });

  test('by a real break of the connection, over and over, every acknowledged message is there once and in order', async () => {
    const chatIds = await Promise.all([newGroup(), newGroup()]);
    const writer = newWriter(30_000);
    let attempts = 0;
    let retries = 0;
    messages.onAppend = (commit) => {
      attempts += 1;
      // The others, so that it goes on however slow the machine is.
      if (attempts % 3 > 0) {
        void delay(Math.random() * 8).then(() => {
          proxy.cut();
          proxy.restore();
        });
      }
      return commit().catch((error) => {
        retries += 1;
        throw error;
      });
    };

    const sends: Promise<{ messageId: string; seq: number }>[] = [];
    for (let i = 0; i < 60; i += 1) {
      sends.push(writer.append(draft(chatIds[i % 2]!, `${i}`)));
      if (i % 3 === 2) await sends.at(-1);
    }
    const receipts = await Promise.all(sends);

    expect(retries).toBeGreaterThan(0);
    for (const [c, chatId] of chatIds.entries()) {
      const own = receipts.filter((_, i) => i % 2 === c);
      const stored = await log(chatId);
      expect(stored.map(({ id, seq }) => ({ id, seq }))).toEqual(
        own.map(({ messageId, seq }) => ({ id: messageId, seq })),
      );
      expect(stored.map(({ text }) => text)).toEqual(own.map((_, i) => `${i * 2 + c}`));
    }
  });
});
