import { randomUUID } from 'node:crypto';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Draft } from '../../model/message.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { PostgresMessageRepository } from '../../repository/postgres/messages/postgres-message-repository.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { FaultyMessages } from '../../testing/faults/faulty-messages.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { testRandom } from '../../testing/random.ts';
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

function newWriter(giveUpAfterMs: number, log = pino({ level: 'silent' })): MessageWriter {
  const options = { maxBatch: 100, maxInFlight: 2, maxQueued: 1_000, giveUpAfterMs };
  return new MessageWriter({ messages: messages.repository, bus, log }, options);
}

/** Uses virtual time from here on. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
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

describe('while the database is unreachable', () => {
  test('messages wait, and are stored in order as soon as it is reachable', async () => {
    const chatIds = await Promise.all([newGroup(), newGroup(), newGroup()]);
    const writer = newWriter(20_000);
    await writer.append(draft(chatIds[0]!, 'before'));
    proxy.cut();
    const sends = Array.from({ length: 30 }, (_, i) => writer.append(draft(chatIds[i % 3]!, `${i}`)));
    let settled = 0;
    for (const send of sends) void send.finally(() => (settled += 1)).catch(() => {});
    const tried = messages.batches.length;
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(tried + 3));
    expect(settled).toBe(0);

    proxy.restore();

    await Promise.all(sends);
    for (const [c, chatId] of chatIds.entries()) {
      const expected = Array.from({ length: 10 }, (_, i) => `${i * 3 + c}`);
      expect((await log(chatId)).map(({ text }) => text).filter((text) => text !== 'before')).toEqual(expected);
    }
  });

  test('no message of a chat overtakes a batch that is tried again', async () => {
    const chatId = await newGroup();
    const writer = newWriter(5_000);
    let attempts = 0;
    messages.onAppend = async (commit, batch) => {
      if (batch[0]?.text !== 'first') return commit();
      attempts += 1;
      if (attempts === 1) throw storageUnavailable(new Error('away'));
      // Enough time for others to overtake the batch.
      for (let i = 0; i < 20; i += 1) await storage.database.pool.query('select 1');
      return commit();
    };
    const first = writer.append(draft(chatId, 'first'));
    await nextTurn();
    await Promise.all([first, ...['second', 'third'].map((text) => writer.append(draft(chatId, text)))]);
    expect((await log(chatId)).map(({ text }) => text)).toEqual(['first', 'second', 'third']);
  });

  test('for too long, each message is refused in time with a retry time, also those that wait', async () => {
    const chatIds = await Promise.all(Array.from({ length: 5 }, newGroup));
    const writer = newWriter(600);
    proxy.cut();
    holdTime();
    const sends = Array.from({ length: 25 }, (_, i) => writer.append(draft(chatIds[i % 5]!, `${i}`)));
    let refused = 0;
    for (const send of sends) send.catch(() => (refused += 1));

    vi.advanceTimersByTime(590);
    await nextTurn();
    expect(refused).toBe(0);
    vi.advanceTimersByTime(120);
    const results = await Promise.allSettled(sends);

    for (const result of results) {
      expect(result).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE', retryAfterMs: expect.any(Number) } });
    }
    proxy.restore();
    await writer.append(draft(chatIds[0]!, 'later'));
    expect((await log(chatIds[0]!)).map(({ text }) => text)).toEqual(['later']);
  });

  test('a message waits at most giveUpAfterMs, even if the database does not answer at all', async () => {
    const [chatId, otherChatId] = await Promise.all([newGroup(), newGroup()]);
    const writer = newWriter(400);
    const release = messages.hold();
    holdTime();
    const sends = [writer.append(draft(chatId, 'under way'))];
    await nextTurn();
    sends.push(...[chatId, otherChatId, otherChatId].map((id) => writer.append(draft(id, 'waiting'))));

    vi.advanceTimersByTime(510);
    const results = await Promise.allSettled(sends);

    for (const result of results) expect(result).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE' } });
    release();
    await writer.drain();
    // The messages that were being written may be stored all the same, but none of those that waited.
    expect((await log(chatId)).map(({ text }) => text)).toEqual(['under way']);
  });
});

describe('while a table is missing', () => {
  const rename = (from: string, to: string) => storage.database.pool.query(`alter table ${from} rename to ${to}`);

  test('messages wait and are stored in order when it is there again, and one line is logged', async () => {
    const chatId = await newGroup();
    const lines = new LogLines();
    const writer = newWriter(60_000, lines.logger);
    await rename('messages', 'gone');
    const sends = ['1', '2', '3'].map((text) => writer.append(draft(chatId, text)));
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(3));
    await rename('gone', 'messages');
    await Promise.all(sends);
    expect((await log(chatId)).map(({ text }) => text)).toEqual(['1', '2', '3']);
    expect(lines.lines.filter(({ err }) => err)).toMatchObject([
      { err: { message: expect.stringContaining('messages') } },
    ]);
  });

  test('for too long, messages are refused with a retry time', async () => {
    const chatId = await newGroup();
    const writer = newWriter(600);
    await rename('messages', 'gone');
    await expect(writer.append(draft(chatId))).rejects.toMatchObject({
      reason: 'STORAGE_UNAVAILABLE',
      retryAfterMs: expect.any(Number),
    });
    await rename('gone', 'messages');
    await writer.drain();
  });
});

test('a message that the database cannot hold is refused with a reason, and never again', async () => {
  const refused = await newWriter(5_000)
    .append(draft(await newGroup(), '\0'))
    .catch((error) => error);
  expect(refused).toMatchObject({ reason: 'INVALID_FIELDS', retryAfterMs: undefined });
});

describe('when the answer is lost', () => {
  test('the message is stored once, and acknowledged with its stored id and number', async () => {
    const chatId = await newGroup();
    const heard = await publications(chatId);
    const writer = newWriter(5_000);
    messages.loseNextAnswer();

    const receipt = await writer.append(draft(chatId, 'once'));

    expect(await log(chatId)).toMatchObject([{ id: receipt.messageId, seq: receipt.seq, text: 'once' }]);
    expect(messages.batches).toHaveLength(2);
    // Nobody has published the message, so its head is published.
    expect(heard).toEqual([{ kind: 'head', seq: receipt.seq }]);
  });

  test('the highest number is published, even if the batch had a repetition of an older message', async () => {
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

  test('later messages of the same chat stay after it', async () => {
    const chatId = await newGroup();
    const writer = newWriter(5_000);
    messages.loseNextAnswer();
    const sends = Array.from({ length: 10 }, (_, i) => writer.append(draft(chatId, `${i}`)));
    const receipts = await Promise.all(sends);
    expect(receipts.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await log(chatId)).map(({ text }) => text)).toEqual(sends.map((_, i) => `${i}`));
  });

  test('by repeated breaks of the connection, every acknowledged message is stored once and in order', async () => {
    const chatIds = await Promise.all([newGroup(), newGroup()]);
    const writer = newWriter(30_000);
    const random = testRandom();
    let attempts = 0;
    let retries = 0;
    messages.onAppend = (commit) => {
      attempts += 1;
      // Every other attempt, so that the test makes progress on a slow machine too.
      if (attempts % 3 > 0) {
        void delay(random.next() * 8).then(() => {
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
