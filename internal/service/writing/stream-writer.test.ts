import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Entry } from '../../model/entry.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import type { NewStreamWrite, Streamed } from '../../repository/stream-repository.ts';
import { holdChat } from '../../testing/faults/row-lock.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { anyStream, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { StreamWriter, type StreamWriterOptions } from './stream-writer.ts';

/** So long that no test waits for it. */
const never = 2_000_000_000;

let storage: TestStorage;
let bus: MemoryBus;
let chatId: string;
/** Every batch that was appended, in order. */
let batches: (readonly NewStreamWrite[])[];
/** Runs in place of the commit. */
let onAppend: (commit: () => Promise<Streamed[]>) => Promise<Streamed[]>;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());
beforeEach(async () => {
  bus = new MemoryBus();
  batches = [];
  onAppend = (commit) => commit();
  chatId = (await storage.chats.createGroup(user('alice'), 'group', ['bob'])).chat.id;
});

function newWriter(options: Partial<StreamWriterOptions> = {}, maxTextLength = 1_000): StreamWriter {
  const defaults = { maxBatch: 100, maxInFlight: 1, maxQueued: 1_000, giveUpAfterMs: 60_000, flushMs: never };
  const streams = withFaults(storage.streams, (real) => ({
    appendBatch: (batch, rules, lockWaitMs) => {
      batches.push(batch);
      return onAppend(() => real.appendBatch(batch, rules, lockWaitMs));
    },
  }));
  const deps = { streams, bus, log: pino({ level: 'silent' }) };
  return new StreamWriter(deps, { ...anyStream, maxTextLength }, { ...defaults, ...options });
}

const by = (id: string) => ({ chatId, actor: user(id), asService: false });
const part = (messageId: string, number: number, text: string, actor = 'alice') => ({
  ...{ ...by(actor), messageId, part: number, text },
});
const complete = (messageId: string) => ({ ...by('alice'), messageId, outcome: 'complete' as const });

async function begin(writer: StreamWriter, text = '', actor = 'alice'): Promise<string> {
  const { messageId } = await writer.start({ ...by(actor), clientMessageId: randomUUID(), text });
  batches = [];
  return messageId;
}

const textOf = async (messageId: string) => (await storage.messages.get(chatId, messageId)).text;
/** The texts of the flushes that were written. */
const flushes = () => batches.flat().flatMap((write) => (write.kind === 'part' ? [write.texts.join('')] : []));

async function published(): Promise<Entry[]> {
  const entries: Entry[] = [];
  await bus.subscribeToChat(chatId, (each) => void (each.kind === 'entries' && entries.push(...each.entries)));
  return entries;
}

describe('a streamed message', () => {
  test('is flushed at its first part, then after flushMs at the earliest, and at its end', async () => {
    const writer = newWriter();
    const id = await begin(writer);
    const entries = await published();
    const parts = ['a', 'b', 'c', 'd'].map((text, i) => writer.append(part(id, i + 1, text)));
    const first = await parts[0]!;
    expect(await textOf(id)).toBe('a');
    const end = await writer.finish(complete(id));
    const receipts = await Promise.all(parts);
    expect(receipts.map(({ seq, nextPart }) => [seq, nextPart])).toEqual([[3, 2], ...Array(3).fill([4, 5])]);
    expect([first.seq, end.seq]).toEqual([3, 5]);
    expect(flushes()).toEqual(['a', 'bcd']);
    expect(entries).toEqual([
      { kind: 'message_part', part: { chatId, messageId: id, seq: 3, offset: 0, text: 'a' } },
      { kind: 'message_part', part: { chatId, messageId: id, seq: 4, offset: 1, text: 'bcd' } },
      { kind: 'message_changed', message: await storage.messages.get(chatId, id) },
    ]);
  });

  test('is flushed again when the time after the last flush is over', async () => {
    const writer = newWriter({ flushMs: 1 });
    const id = await begin(writer);
    for (const [i, text] of ['a', 'b', 'c'].entries()) await writer.append(part(id, i + 1, text));
    expect(flushes()).toEqual(['a', 'b', 'c']);
  });

  test('collects what arrives while a flush is being committed', async () => {
    const writer = newWriter({ flushMs: 0 });
    const id = await begin(writer);
    const release = await holdChat(storage.dsn, { id: chatId });
    const parts = ['a', 'b', 'c', 'd'].map((text, i) => writer.append(part(id, i + 1, text)));
    await release();
    await Promise.all(parts);
    expect(new Set(flushes())).toEqual(new Set(['a', 'bcd']));
    expect(await textOf(id)).toBe('abcd');
  });

  test('takes repeated parts once, and tells what is missing', async () => {
    const writer = newWriter();
    const id = await begin(writer);
    const attempts = ([1, 2, 2, 1, 4, 3, 3] as const).map((n) => writer.append(part(id, n, `${n}`)));
    const done = writer.finish(complete(id));
    const results = await Promise.allSettled(attempts);
    expect(results.map(({ status }) => status)).toEqual([
      ...Array(4).fill('fulfilled'),
      'rejected',
      ...Array(2).fill('fulfilled'),
    ]);
    expect(results[4]).toMatchObject({ reason: { reason: 'PART_MISSING', violations: [{ field: 'part' }] } });
    await done;
    expect(await textOf(id)).toBe('123');
  });

  test('whose flush was committed without an answer is written once, and readers are told to look', async () => {
    const writer = newWriter();
    const id = await begin(writer);
    const heads: number[] = [];
    await bus.subscribeToChat(chatId, (each) => void (each.kind === 'head' && heads.push(each.seq)));
    let lost = 0;
    onAppend = async (commit) => {
      const outcomes = await commit();
      lost += 1;
      if (lost === 1) throw storageUnavailable(new Error('the connection broke'));
      return outcomes;
    };
    expect(await writer.append(part(id, 1, 'a'))).toMatchObject({ seq: 3, nextPart: 2 });
    expect(await textOf(id)).toBe('a');
    expect(heads).toEqual([3]);
  });

  test('takes the parts that fit when a flush is too long, and refuses the others', async () => {
    const writer = newWriter({}, 5);
    const id = await begin(writer);
    await writer.append(part(id, 1, 'a'));
    const parts = ['bc', 'de', 'f', 'g'].map((text, i) => writer.append(part(id, i + 2, text)));
    await writer.finish(complete(id)).catch(() => {});
    const results = await Promise.allSettled(parts);
    expect(results[2]).toMatchObject({ status: 'rejected' });
    expect((await textOf(id)).length).toBeLessThanOrEqual(5);
    const other = await begin(writer);
    await writer.append(part(other, 1, 'a'));
    const more = ['bc', 'de', 'f'].map((text, i) => writer.append(part(other, i + 2, text)));
    await writer.drain();
    expect((await Promise.allSettled(more)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(await textOf(other)).toBe('abcde');
  });

  test('does not hold up the parts of others', async () => {
    const writer = newWriter();
    const [one, other] = [await begin(writer), await begin(writer, '', 'bob')];
    await Promise.all([writer.append(part(one, 1, 'a')), writer.append(part(other, 1, 'b', 'bob'))]);
    expect([await textOf(one), await textOf(other)]).toEqual(['a', 'b']);
  });

  test('is written to the last part when the service stops', async () => {
    const writer = newWriter();
    const id = await begin(writer);
    const parts = ['a', 'b', 'c'].map((text, i) => writer.append(part(id, i + 1, text)));
    await writer.drain();
    await Promise.all(parts);
    expect(await textOf(id)).toBe('abc');
  });
});
