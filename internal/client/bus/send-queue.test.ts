import { expect, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import type { BusMessage } from './link.ts';
import { SendQueue } from './send-queue.ts';

/** A queue whose batches are being sent until `letThrough` is called. */
function heldUp(options: { maxBytes?: number; maxInFlight?: number; maxBatchBytes?: number } = {}) {
  const batches: string[][] = [];
  const gates: (() => void)[] = [];
  const queue = new SendQueue<BusMessage>(
    (batch) => {
      batches.push(batch.map(({ topic }) => topic));
      return new Promise((resolve) => gates.push(resolve));
    },
    { maxBytes: 1_000_000, maxInFlight: 1, maxBatchBytes: 1_000_000, ...options },
  );
  const push = (topic: string, length = 1) => queue.push({ topic, bytes: Buffer.alloc(length) });
  return { queue, push, batches, letThrough: () => gates.shift()?.() };
}

test('messages of one turn are sent in one batch, and those that arrive meanwhile in the next', async () => {
  const { queue, push, batches, letThrough } = heldUp();
  for (const topic of ['a', 'b', 'c']) push(topic);
  await eventually(() => expect(batches).toEqual([['a', 'b', 'c']]));
  for (const topic of ['d', 'e']) push(topic);
  letThrough();
  await eventually(() => expect(batches).toHaveLength(2));
  expect(batches[1]).toEqual(['d', 'e']);
  letThrough();
  await queue.sent();
});

test('at most maxInFlight batches are sent at a time, and only a batch with a single message exceeds maxBatchBytes', async () => {
  const { queue, push, batches, letThrough } = heldUp({ maxInFlight: 2, maxBatchBytes: 1_000 });
  for (const topic of ['a', 'b', 'c', 'd']) push(topic, 244);
  push('long', 5_000);
  push('last');
  await eventually(() =>
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]),
  );
  letThrough();
  await eventually(() => expect(batches[2]).toEqual(['long']));
  letThrough();
  await eventually(() => expect(batches[3]).toEqual(['last']));
  letThrough();
  letThrough();
  await queue.sent();
});

test('a full queue refuses messages until a batch has been sent', async () => {
  const { queue, push, batches, letThrough } = heldUp({ maxBytes: 2_000 });
  expect([push('a', 700), push('b', 700), push('c', 700)]).toEqual([true, true, false]);
  await eventually(() => expect(batches).toEqual([['a', 'b']]));
  expect(push('d', 700)).toBe(false);
  letThrough();
  await queue.sent();
  expect(push('e', 700)).toBe(true);
  await eventually(() => expect(batches).toHaveLength(2));
  letThrough();
  await queue.sent();
});
