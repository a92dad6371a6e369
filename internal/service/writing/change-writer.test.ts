import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { ChangeDraft } from '../../model/change.ts';
import type { Message } from '../../model/message.ts';
import type { Changed, NewChange } from '../../repository/change-repository.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { holdChat } from '../../testing/faults/row-lock.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { messagesOf } from '../../testing/messages-of.ts';
import { anyChange, newMessage, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import type { WriterOptions } from './batch-writer.ts';
import { ChangeWriter } from './change-writer.ts';

let storage: TestStorage;
let bus: MemoryBus;
/** Every batch that was appended, in order. */
let batches: (readonly NewChange[])[];
/** Runs in place of the commit. */
let onAppend: (commit: () => Promise<Changed[]>) => Promise<Changed[]>;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());
beforeEach(() => {
  bus = new MemoryBus();
  batches = [];
  onAppend = (commit) => commit();
});

function newWriter(options: Partial<WriterOptions> = {}): ChangeWriter {
  const defaults = { maxBatch: 100, maxInFlight: 1, maxQueued: 1_000, giveUpAfterMs: 60_000 };
  const changes = withFaults(storage.changes, (real) => ({
    appendBatch: (batch, rules, lockWaitMs) => {
      batches.push(batch);
      return onAppend(() => real.appendBatch(batch, rules, lockWaitMs));
    },
  }));
  return new ChangeWriter({ changes, bus, log: pino({ level: 'silent' }) }, anyChange, { ...defaults, ...options });
}

/** A new group of alice with messages that she has sent. */
async function newChat(count: number): Promise<Message[]> {
  const { id } = (await storage.chats.createGroup(user('alice'), 'group', [])).chat;
  const messages = Array.from({ length: count }, () => newMessage(id, 'alice'));
  await storage.messages.appendBatch(messages, ['OWNER']);
  return Promise.all(messages.map((message) => storage.messages.get(id, message.id)));
}

function edit({ chatId, id }: Message, text: string, clientChangeId: string = randomUUID()): ChangeDraft {
  return draft({ chatId, id }, { kind: 'edited', text }, clientChangeId);
}

function deletion(message: Message, hide = false): ChangeDraft {
  return draft(message, { kind: 'deleted', hide, reason: '' }, '');
}

function draft({ chatId, id }: Pick<Message, 'chatId' | 'id'>, change: ChangeDraft['change'], clientChangeId: string) {
  const actor = { actorId: 'alice', asService: false };
  return { chatId, messageId: id, clientChangeId, change, ifVersion: undefined, ...actor };
}

async function textOf({ chatId, id }: Message): Promise<string> {
  return (await storage.messages.get(chatId, id)).text;
}

async function publications({ chatId }: Message): Promise<ChatPublication[]> {
  const heard: ChatPublication[] = [];
  await bus.subscribeToChat(chatId, (publication) => heard.push(publication));
  return heard;
}

describe('a batch', () => {
  test('collects the changes that arrive while another batch is being committed, and is published at once', async () => {
    const messages = await newChat(40);
    const heard = await publications(messages[0]!);
    const writer = newWriter();
    const changes = [writer.append(edit(messages[0]!, '0'))];
    await nextTurn();
    for (const [i, message] of messages.slice(1).entries()) changes.push(writer.append(edit(message, `${i + 1}`)));
    const receipts = await Promise.all(changes);
    expect(batches.map(({ length }) => length)).toEqual([1, 39]);
    expect(receipts.map(({ seq }) => seq)).toEqual(messages.map((_, i) => 42 + i));
    const published = heard.map((each) => messagesOf(each).map(({ text }) => text));
    expect(published).toEqual([['0'], messages.slice(1).map((_, i) => `${i + 1}`)]);
  });

  test('never contains two changes of one message: they are stored in the order of the calls', async () => {
    const [message, other] = (await newChat(2)) as [Message, Message];
    const writer = newWriter();
    const drafts = [edit(message, '1'), edit(other, 'other'), edit(message, '2'), deletion(message)];
    const receipts = await Promise.all(drafts.map((each) => writer.append(each)));
    expect(receipts.map(({ seq }) => seq)).toEqual([4, 5, 6, 7]);
    expect(batches.map(({ length }) => length)).toEqual([2, 1, 1]);
    expect([await textOf(message), await textOf(other)]).toEqual(['', 'other']);
  });

  test('never contains a change and its repetition, nor another change with its id', async () => {
    const [message, other] = (await newChat(2)) as [Message, Message];
    const writer = newWriter();
    const results = await Promise.allSettled(
      [edit(message, 'x', 'same'), edit(message, 'x', 'same'), edit(other, 'x', 'same')].map((e) => writer.append(e)),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results).toMatchObject([{ value: { seq: 4 } }, {}, { reason: { reason: 'CHANGE_ID_REUSED' } }]);
  });

  test('with a change that PostgreSQL cannot hold loses only that one', async () => {
    const messages = await newChat(3);
    const writer = newWriter();
    const texts = ['a', '\0', 'b'];
    const results = await Promise.allSettled(messages.map((message, i) => writer.append(edit(message, texts[i]!))));
    expect(results).toMatchObject([{ value: {} }, { reason: { reason: 'INVALID_FIELDS' } }, { value: {} }]);
    expect(await Promise.all(messages.map(textOf))).toEqual(['a', 'text', 'b']);
  });
});

test('changes beyond maxQueued are refused', async () => {
  const messages = await newChat(3);
  const writer = newWriter({ maxQueued: 2 });
  const results = await Promise.allSettled(messages.map((message) => writer.append(edit(message, 'x'))));
  expect(results[2]).toMatchObject({ reason: { reason: 'WRITER_BUSY', retryAfterMs: 500 } });
});

describe('while another transaction has locked a chat', () => {
  test('changes in other chats are stored, and its own afterwards in their order', async () => {
    const [[message, another], [elsewhere]] = (await Promise.all([newChat(2), newChat(1)])) as [Message[], Message[]];
    const release = await holdChat(storage.dsn, { id: message!.chatId });
    const writer = newWriter();
    const waiting = ['1', '2'].map((text) => writer.append(edit(message!, text)));
    await writer.append(edit(elsewhere!, 'same batch'));
    waiting.push(writer.append(edit(another!, '3')));
    await writer.append(edit(elsewhere!, 'next batch'));
    expect(await textOf(message!)).toBe('text');
    await release();
    expect((await Promise.all(waiting)).map(({ seq }) => seq)).toEqual([4, 5, 6]);
    expect([await textOf(message!), await textOf(another!)]).toEqual(['2', '3']);
  });

  test('its changes are refused after giveUpAfterMs, and are not stored later', async () => {
    const [message] = (await newChat(1)) as [Message];
    const release = await holdChat(storage.dsn, { id: message.chatId });
    const writer = newWriter({ giveUpAfterMs: 300 });
    await expect(writer.append(edit(message, 'late'))).rejects.toMatchObject({
      ...{ reason: 'STORAGE_UNAVAILABLE', retryAfterMs: expect.any(Number) },
    });
    await writer.drain();
    await release();
    await writer.append(deletion(message, true));
    expect(await storage.messages.findChanges(message.chatId, 2, 10)).toMatchObject({ lastSeq: 3 });
  });

  test('a repetition of a stored change is answered at once', async () => {
    const [message] = (await newChat(1)) as [Message];
    const writer = newWriter();
    const again = edit(message, 'x');
    const receipt = await writer.append(again);
    await holdChat(storage.dsn, { id: message.chatId });
    expect(await writer.append(again)).toEqual(receipt);
  });
});

test.each([
  ['an edit', (message: Message) => edit(message, 'x')],
  ['a deletion without an id', (message: Message) => deletion(message)],
  ['a deletion without an id that hides the message', (message: Message) => deletion(message, true)],
])('%s whose answer was lost is tried again, recognised, and published', async (_, make) => {
  const [message] = (await newChat(1)) as [Message];
  const heard = await publications(message);
  onAppend = async (commit) => {
    onAppend = (commit) => commit();
    await commit();
    throw storageUnavailable(new Error('the answer was lost'));
  };
  expect(await newWriter().append(make(message))).toMatchObject({ seq: 3 });
  expect(heard).toEqual([{ kind: 'head', seq: 3 }]);
});
