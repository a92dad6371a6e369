import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Batch, type EntryEncoder } from './batch.ts';
import { type Entry, seqOf } from './entry.ts';
import { Frame } from './frame.ts';
import type { SystemEvent } from './system-event.ts';

function entryOf(updateSeq: number, system?: SystemEvent): Entry {
  const sender = { id: 'alice', name: 'Alice' };
  const known = { id: `${updateSeq}`, chatId: 'c', clientMessageId: '', text: '', createdAt: new Date(0) };
  const message = { ...known, seq: updateSeq, updateSeq, sender, ...(system && { system }) };
  return { kind: 'message', message };
}

const batchOf = (...numbers: number[]) => new Batch(numbers.map((number) => entryOf(number)));

/** An encoder that counts its calls. A frame's bytes are the numbers of its entries. */
class CountingEncoder implements EntryEncoder {
  asked = 0;

  encodeEntries(entries: readonly Entry[]): readonly Frame[] {
    this.asked += 1;
    return [new Frame(Uint8Array.from(entries.map(seqOf)))];
  }
}

describe('a batch', () => {
  test('is encoded once for all readers, and only on demand', () => {
    const encoder = new CountingEncoder();
    const batch = batchOf(1, 2, 3);
    expect(encoder.asked).toBe(0);
    const frames = batch.frames(encoder);
    for (let reader = 0; reader < 400; reader += 1) expect(batch.frames(encoder)).toBe(frames);
    expect(encoder.asked).toBe(1);
    expect([...frames[0]!.bytes]).toEqual([1, 2, 3]);
  });

  test('is encoded anew by another encoder', () => {
    const [one, two] = [new CountingEncoder(), new CountingEncoder()];
    const batch = batchOf(1);
    expect(batch.frames(two)).not.toBe(batch.frames(one));
    expect([one.asked, two.asked]).toEqual([1, 1]);
  });

  test('gives readers who lack the same entries the same rest, encoded once', () => {
    const encoder = new CountingEncoder();
    const batch = batchOf(1, 2, 5, 6);
    expect(batch.after(0)).toBe(batch);
    const rest = batch.after(2)!;
    expect(batch.after(2)).toBe(rest);
    for (const seq of [3, 4]) expect(batch.after(seq)?.entries).toEqual(rest.entries);
    expect(rest.entries).toEqual(batch.entries.slice(2));
    for (let reader = 0; reader < 400; reader += 1) batch.after(2)!.frames(encoder);
    expect(encoder.asked).toBe(1);
    expect(batch.after(6)).toBeUndefined();
  });

  test('remembers only a few rests', () => {
    const batch = batchOf(...Array.from({ length: 100 }, (_, i) => i + 1));
    const first = batch.after(1);
    for (let seq = 2; seq < 100; seq += 1) batch.after(seq);
    expect(batch.after(1)).not.toBe(first);
    expect(batch.after(1)).toEqual(first);
  });

  test('returns exactly the entries after any number', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 });
    fc.assert(
      fc.property(numbers, fc.array(fc.nat(70)), (unsorted, cuts) => {
        const batch = batchOf(...unsorted.toSorted((a, b) => a - b));
        for (const cut of cuts) {
          const expected = batch.entries.filter((entry) => seqOf(entry) > cut);
          expect(batch.after(cut)?.entries ?? []).toEqual(expected);
        }
      }),
    );
  });

  test('begins directly after a number that one of its entries covers with others', () => {
    const batch = new Batch([entryOf(1), { kind: 'covered', chatId: 'c', fromSeq: 2, toSeq: 6 }, entryOf(7)]);
    expect([batch.firstSeq, batch.lastSeq, batch.isContiguous]).toEqual([1, 7, true]);
    expect(batch.after(1)?.entries).toEqual(batch.entries.slice(1));
    expect(batch.after(4)?.entries).toEqual([{ kind: 'covered', chatId: 'c', fromSeq: 5, toSeq: 6 }, batch.entries[2]]);
    expect(batch.after(6)?.entries).toEqual(batch.entries.slice(2));
  });

  test('knows its first and last number, and whether a number between is missing', () => {
    const of = ({ firstSeq, lastSeq, isContiguous, isEmpty }: Batch) => ({ firstSeq, lastSeq, isContiguous, isEmpty });
    expect(of(batchOf(3, 4, 5))).toEqual({ firstSeq: 3, lastSeq: 5, isContiguous: true, isEmpty: false });
    expect(of(batchOf(3, 5))).toEqual({ firstSeq: 3, lastSeq: 5, isContiguous: false, isEmpty: false });
    expect(of(Batch.empty)).toMatchObject({ firstSeq: 0, lastSeq: 0, isEmpty: true });
    expect(Batch.empty.after(0)).toBeUndefined();
  });

  test('lists the memberships that its entries ended, with the reasons', () => {
    const bob = { id: 'bob', name: '' };
    const batch = new Batch([
      entryOf(1, { kind: 'member_joined' }),
      entryOf(2, { kind: 'member_left' }),
      entryOf(4, { kind: 'member_removed', user: bob }),
      entryOf(5),
      entryOf(6, { kind: 'member_removed', user: bob, banned: true }),
    ]);
    expect(batch.membershipEnds).toEqual([
      { userId: 'alice', reason: 'LEFT', seq: 2 },
      { userId: 'bob', reason: 'REMOVED', seq: 4 },
      { userId: 'bob', reason: 'BANNED', seq: 6 },
    ]);
    expect(batch.after(4)!.membershipEnds).toEqual([{ userId: 'bob', reason: 'BANNED', seq: 6 }]);
  });
});
