import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../model/message.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { repetitionKey } from './repetition-key.ts';
import { type WriteEntry as EntryOf, WriteQueue } from './write-queue.ts';

type WriteEntry = EntryOf<NewMessage, Receipt>;

const newQueue = () => new WriteQueue<NewMessage, Receipt>((message) => [repetitionKey(message)]);

let count = 0;

function entry(
  chatId: string,
  clientMessageId = `${++count}`,
  { senderId = 'alice', giveUpAt = Infinity } = {},
): WriteEntry {
  const item = {
    chatId,
    clientMessageId,
    id: `${chatId}/${clientMessageId}/${++count}`,
    sender: { id: senderId, name: '' },
    text: '',
    contentHash: Buffer.alloc(16),
  };
  return { item, resolve: () => {}, reject: () => {}, giveUpAt, maybeStored: false, pauses: 0 };
}

function queueOf(...entries: WriteEntry[]) {
  const queue = newQueue();
  for (const each of entries) queue.add(each);
  return queue;
}

/** Opens the chats of a batch, as a writer does once it is committed. */
function open(queue: WriteQueue<NewMessage, Receipt>, batch: readonly WriteEntry[] = []): void {
  for (const { item } of batch) queue.open(item.chatId);
}

const ids = (entries: readonly WriteEntry[]) => entries.map(({ item }) => item.id);

describe('taking', () => {
  test('serves chats in the order in which they came, up to the limit', () => {
    const [a1, b1, a2, c1] = [entry('a'), entry('b'), entry('a'), entry('c')];
    const queue = queueOf(a1, b1, a2, c1);
    expect(ids(queue.take(3))).toEqual(ids([a1, a2, b1]));
    expect(queue.size).toBe(1);
    expect(ids(queue.take(3))).toEqual(ids([c1]));
    expect(queue.take(3)).toEqual([]);
  });

  test('closes the chats until they are opened', () => {
    const [a1, a2, b1] = [entry('a'), entry('a'), entry('b')];
    const queue = queueOf(a1);
    const batch = queue.take(10);
    queue.add(a2);
    queue.add(b1);
    expect(ids(queue.take(10))).toEqual(ids([b1]));
    expect(queue.take(10)).toEqual([]);
    open(queue, batch);
    expect(ids(queue.take(10))).toEqual(ids([a2]));
  });

  test('leaves a repetition of a message in the batch for a later batch', () => {
    const [first, again, next] = [entry('a', 'x'), entry('a', 'x'), entry('a', 'y')];
    const queue = queueOf(first, again, next);
    const batch = queue.take(10);
    expect(ids(batch)).toEqual(ids([first]));
    open(queue, batch);
    expect(ids(queue.take(10))).toEqual(ids([again, next]));
  });

  test('treats the same id of two senders or in two chats as two messages', () => {
    const entries = [entry('a', 'x'), entry('a', 'x', { senderId: 'bob' }), entry('b', 'x')];
    expect(queueOf(...entries).take(10)).toHaveLength(3);
  });

  test('does not let a busy chat delay the others', () => {
    const busy = Array.from({ length: 1_000 }, () => entry('busy'));
    const quiet = entry('quiet');
    const batch = queueOf(...busy, quiet).take(512);
    expect(batch).toHaveLength(512);
    expect(ids(batch)).toContain(quiet.item.id);
  });

  test('puts a chat that is opened behind those that were waiting', () => {
    const queue = queueOf(entry('a'), entry('a'), entry('b'), entry('c'));
    const first = queue.take(1);
    open(queue, first);
    expect(queue.take(1).map(({ item }) => item.chatId)).toEqual(['b']);
    expect(queue.take(1).map(({ item }) => item.chatId)).toEqual(['c']);
    expect(queue.take(1).map(({ item }) => item.chatId)).toEqual(['a']);
  });
});

describe('withdrawing', () => {
  test('removes a waiting message and leaves the others in order', () => {
    const [a1, a2, a3] = [entry('a'), entry('a'), entry('a')];
    const queue = queueOf(a1, a2, a3);
    expect(queue.withdraw(a2)).toBe(true);
    expect(queue.withdraw(a2)).toBe(false);
    expect(queue.size).toBe(2);
    expect(ids(queue.take(10))).toEqual(ids([a1, a3]));
    expect(queue.withdraw(a1)).toBe(false);
    expect(queue.size).toBe(0);
  });

  test('the last message of a chat removes the chat', () => {
    const only = entry('a');
    const queue = queueOf(only);
    queue.withdraw(only);
    expect(queue.take(10)).toEqual([]);
    const later = entry('a');
    queue.add(later);
    expect(ids(queue.take(10))).toEqual(ids([later]));
  });

  test('by time removes exactly the expired messages, also of closed chats', () => {
    const [closed, soon, late] = [entry('a'), entry('a', '1', { giveUpAt: 10 }), entry('a', '2', { giveUpAt: 11 })];
    const queue = queueOf(closed);
    const batch = queue.take(1);
    queue.add(soon);
    queue.add(late);
    expect(ids(queue.takeExpired(10))).toEqual(ids([soon]));
    open(queue, batch);
    expect(ids(queue.take(10))).toEqual(ids([late]));
  });
});

describe('whatever happens', () => {
  type Step =
    | { kind: 'add'; chat: number; id: number }
    | { kind: 'take'; limit: number }
    | { kind: 'open'; which: number }
    | { kind: 'withdraw'; which: number }
    | { kind: 'expire'; now: number };
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('add'), chat: fc.nat(4), id: fc.nat(12) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('take'), limit: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('open'), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw'), which: fc.nat(99) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire'), now: fc.nat(200) }) },
  ) as fc.Arbitrary<Step>;

  test('each chat’s messages are taken in order, never in two batches at once, never twice, and none is lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const queue = newQueue();
        const added: WriteEntry[] = [];
        const gone = new Set<WriteEntry>();
        const taken: WriteEntry[] = [];
        const taking: WriteEntry[][] = [];
        const take = (limit: number) => {
          const before = queue.size;
          const batch = queue.take(limit);
          expect(batch.length).toBeLessThanOrEqual(limit);
          expect(queue.size).toBe(before - batch.length);
          const keys = batch.map(({ item }) => `${item.chatId} ${item.clientMessageId}`);
          expect(new Set(keys).size).toBe(keys.length);
          const chats = new Set(batch.map(({ item }) => item.chatId));
          for (const other of taking) for (const { item } of other) expect(chats).not.toContain(item.chatId);
          taken.push(...batch);
          if (batch.length > 0) taking.push(batch);
          return batch.length;
        };
        for (const [i, each] of steps.entries()) {
          if (each.kind === 'add') {
            const one = entry(`${each.chat}`, `${each.id}`, { giveUpAt: 100 + i });
            added.push(one);
            queue.add(one);
          } else if (each.kind === 'take') take(each.limit);
          else if (each.kind === 'open') open(queue, taking.splice(each.which % (taking.length || 1), 1)[0]);
          else if (each.kind === 'withdraw') {
            const one = added[each.which % (added.length || 1)];
            if (!one) continue;
            const waits = !gone.has(one) && !taken.includes(one);
            expect(queue.withdraw(one)).toBe(waits);
            if (waits) gone.add(one);
          } else for (const one of queue.takeExpired(each.now)) gone.add(one);
        }
        // A take returns something whenever an open chat has messages.
        for (let left = queue.size; left > 0; left = queue.size) {
          for (const batch of taking.splice(0)) open(queue, batch);
          expect(take(4)).toBeGreaterThan(0);
        }
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.length).toBe(added.length - gone.size);
        for (let chat = 0; chat <= 4; chat += 1) {
          const ofChat = (entries: WriteEntry[]) => ids(entries.filter(({ item }) => item.chatId === `${chat}`));
          expect(ofChat(taken)).toEqual(ofChat(added.filter((one) => !gone.has(one))));
        }
      }),
      { numRuns: 300 },
    );
  });
});
