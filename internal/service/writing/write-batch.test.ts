import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchWriting, writeBatch } from './write-batch.ts';

const away = new Error('away');

/** A table that refuses every batch with one of the `bad` numbers. */
class Table implements BatchWriting<number, string> {
  readonly rows: number[] = [];
  readonly refused: number[] = [];
  readonly outcomes: string[] = [];
  /** The attempts during which the database is unreachable, by their numbers from 0. */
  readonly #away: ReadonlySet<number>;
  readonly #bad: ReadonlySet<number>;
  attempts = 0;
  repeated: number[] = [];

  constructor(bad: Iterable<number> = [], away: Iterable<number> = []) {
    this.#bad = new Set(bad);
    this.#away = new Set(away);
  }

  async write(batch: readonly number[]): Promise<string[]> {
    const attempt = this.attempts++;
    if (this.#away.has(attempt)) throw away;
    const fault = batch.find((entry) => this.#bad.has(entry));
    if (fault !== undefined) throw new Error(`${fault} is bad`);
    this.rows.push(...batch);
    return batch.map(String);
  }

  settle(batch: readonly number[], outcomes: readonly string[], repeated: boolean): readonly number[] {
    expect(outcomes).toEqual(batch.map(String));
    this.outcomes.push(...outcomes);
    if (repeated) this.repeated.push(...batch);
    return [];
  }

  async recover(batch: readonly number[], error: unknown): Promise<readonly number[] | 'refused'> {
    return error === away ? batch : 'refused';
  }

  refuse(entry: number, error: unknown): void {
    expect((error as Error).message).toBe(`${entry} is bad`);
    this.refused.push(entry);
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test('bad entries are refused and the others written, once and in order, whenever the database is unreachable', async () => {
  const failures = fc.record({
    count: fc.integer({ min: 0, max: 40 }),
    bad: fc.uniqueArray(fc.nat(39)),
    away: fc.uniqueArray(fc.nat(60)),
  });
  await fc.assert(
    fc.asyncProperty(failures, async ({ count, bad, away }) => {
      const table = new Table(bad, away);
      await writeBatch(numbers(count), table);
      const isBad = (entry: number) => bad.includes(entry);
      expect(table.rows).toEqual(numbers(count).filter((entry) => !isBad(entry)));
      expect(table.outcomes).toEqual(table.rows.map(String));
      expect(table.refused).toEqual(numbers(count).filter(isBad));
    }),
  );
});

test('one bad entry of 512 costs 19 statements, not 512', async () => {
  const table = new Table([100]);
  await writeBatch(numbers(512), table);
  expect(table.attempts).toBe(19);
});

test('entries that are tried again are settled as repeated, also after halving', async () => {
  const first = new Table([2], [0]);
  await writeBatch(numbers(4), first);
  expect(first.repeated).toEqual([0, 1, 3]);

  const later = new Table([2], [1]);
  await writeBatch(numbers(4), later);
  expect(later.repeated).toEqual([0, 1]);
});

test('entries that are given up while the database is unreachable are neither written nor refused', async () => {
  const table = new Table([3], [0]);
  table.recover = async (batch, error) => (error === away ? batch.filter((entry) => entry > 1) : 'refused');
  await writeBatch(numbers(5), table);
  expect(table.rows).toEqual([2, 4]);
  expect(table.refused).toEqual([3]);

  const none = new Table([], [0]);
  none.recover = async () => [];
  await writeBatch(numbers(5), none);
  expect(none.attempts).toBe(1);
});

test('an error of recover ends the writing of all remaining entries', async () => {
  const table = new Table([1], [3]);
  table.recover = async (_, error) => {
    if (error === away) throw error;
    return 'refused';
  };
  await expect(writeBatch(numbers(8), table)).rejects.toBe(away);
  expect(table.rows).toEqual([]);
  expect(table.attempts).toBe(4);
});

test('an entry is refused before those after it are written', async () => {
  const table = new Table([0]);
  const order: string[] = [];
  table.refuse = async (entry) => {
    await Promise.resolve();
    order.push(`refused ${entry}`);
  };
  table.settle = (batch) => {
    order.push(`written ${batch.join()}`);
    return [];
  };
  await writeBatch(numbers(3), table);
  expect(order).toEqual(['refused 0', 'written 1', 'written 2']);
});
