import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Draft } from '../../model/message.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { eventually } from '../../testing/eventually.ts';
import { FaultyMessages } from '../../testing/faults/faulty-messages.ts';
import { holdChat } from '../../testing/faults/row-lock.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
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
  const defaults = { maxBatch: 100, maxInFlight: 1, maxQueued: 1_000, giveUpAfterMs: 60_000 };
  const log = pino({ level: 'silent' });
  return new MessageWriter({ messages: messages.repository, bus, log }, { ...defaults, ...options });
}

function newGroups(count: number): Promise<string[]> {
  const create = async () => (await storage.chats.createGroup(user('alice'), 'group', [])).chat.id;
  return Promise.all(Array.from({ length: count }, create));
}

function draft(chatId: string, text = 'text'): Draft {
  return { chatId, text, clientMessageId: randomUUID(), sender: user('alice') };
}

async function texts(chatId: string): Promise<string[]> {
  const { messages } = await storage.messages.listHistory(chatId, { afterSeq: 1 }, 1_000);
  return messages.map(({ text }) => text);
}

describe('while another transaction has locked a chat', () => {
  test('the other chats of its batch are written, and its own messages afterwards in their order', async () => {
    const [locked, ...others] = (await newGroups(4)) as [string, ...string[]];
    const writer = newWriter();
    const release = await holdChat(storage.dsn, { id: locked });

    const waiting = ['1', '2'].map((text) => writer.append(draft(locked, text)));
    await Promise.all(others.map((chatId) => writer.append(draft(chatId, 'same batch'))));
    waiting.push(...['3', '4'].map((text) => writer.append(draft(locked, text))));
    await Promise.all(others.map((chatId) => writer.append(draft(chatId, 'next batch'))));

    expect(messages.batches[0]).toHaveLength(5);
    expect(await texts(locked)).toEqual([]);
    await release();
    const receipts = await Promise.all(waiting);
    expect(await texts(locked)).toEqual(['1', '2', '3', '4']);
    expect(receipts.map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
    for (const chatId of others) expect(await texts(chatId)).toEqual(['same batch', 'next batch']);
  });

  test('and some more chats are locked as well, each is written as soon as it is free', async () => {
    const [first, ...others] = (await newGroups(6)) as [string, ...string[]];
    const writer = newWriter();
    const releases: (() => Promise<void>)[] = [];
    for (const id of [first, ...others]) releases.push(await holdChat(storage.dsn, { id }));
    const sends = [first, ...others].map((chatId) => writer.append(draft(chatId)));
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(5));

    for (const [i, release] of releases.toReversed().entries()) {
      await release();
      await sends.at(-1 - i);
    }

    expect(await texts(first)).toEqual(['text']);
  });

  test('its messages are refused when they have waited for giveUpAfterMs, and are not stored later', async () => {
    const [locked, other] = (await newGroups(2)) as [string, string];
    const writer = newWriter({ giveUpAfterMs: 300 });
    const release = await holdChat(storage.dsn, { id: locked });

    const results = await Promise.allSettled(['1', '2'].map((text) => writer.append(draft(locked, text))));
    await writer.append(draft(other));

    for (const result of results) {
      expect(result).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE', retryAfterMs: expect.any(Number) } });
    }
    await writer.drain();
    await release();
    await writer.append(draft(locked, '3'));
    expect(await texts(locked)).toEqual(['3']);
  });

  test('a repetition of a stored message is answered at once', async () => {
    const [locked] = (await newGroups(1)) as [string];
    const writer = newWriter();
    const stored = draft(locked);
    const receipt = await writer.append(stored);
    await holdChat(storage.dsn, { id: locked });
    expect(await writer.append(stored)).toEqual(receipt);
  });

  test('drain waits for its messages', async () => {
    const [locked] = (await newGroups(1)) as [string];
    const writer = newWriter();
    const release = await holdChat(storage.dsn, { id: locked });
    const sent = writer.append(draft(locked));
    const drained = writer.drain();
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(2));
    await release();
    await drained;
    expect(await texts(locked)).toEqual(['text']);
    await sent;
  });
});

test('a message whose answer was lost before its chat was busy is published', async () => {
  const [chatId] = (await newGroups(1)) as [string];
  const heard: ChatPublication[] = [];
  await bus.subscribeToChat(chatId, (publication) => heard.push(publication));
  let attempt = 0;
  messages.onAppend = async (commit, [message]) => {
    attempt += 1;
    if (attempt === 2) return [{ outcome: 'busy', messageId: message!.id, seq: 0, createdAt: new Date() }];
    const outcomes = await commit();
    if (attempt === 1) throw storageUnavailable(new Error('the answer was lost'));
    return outcomes;
  };
  const { seq } = await newWriter().append(draft(chatId));
  expect(heard).toEqual([{ kind: 'head', seq }]);
});

test('a message does not overtake one of its chat that was busy, when its batch is divided', async () => {
  const [chatId] = (await newGroups(1)) as [string];
  const writer = newWriter();
  const release = await holdChat(storage.dsn, { id: chatId });
  // The first message is tried alone, because PostgreSQL refuses the last one.
  const sends = ['1', '2', '3', '\0'].map((text) => writer.append(draft(chatId, text)));
  messages.onAppend = async (commit, batch) => {
    const outcomes = await commit();
    if (batch[0]!.text === '1' && outcomes[0]!.outcome === 'busy') await release();
    return outcomes;
  };
  await nextTurn();
  await Promise.allSettled(sends);
  expect(await texts(chatId)).toEqual(['1', '2', '3']);
});
