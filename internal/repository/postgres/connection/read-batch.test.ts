import { describe, expect, test } from 'vitest';
import { ChatError } from '../../../model/errors.ts';
import { eventually } from '../../../testing/eventually.ts';
import { ReadBatch } from './read-batch.ts';

/** A batch whose statements end when the test ends them. */
function controlled() {
  const statements: { keys: readonly number[]; end: () => void }[] = [];
  const batch = new ReadBatch<number, number>((keys) => {
    const { promise, resolve } = Promise.withResolvers<number[]>();
    statements.push({ keys, end: () => resolve(keys.map((key) => key * 10)) });
    return promise;
  });
  return { batch, statements };
}

describe('a batch of reads', () => {
  test('asks once for what is asked for in one turn, and answers each', async () => {
    const { batch, statements } = controlled();
    const answers = Promise.all([1, 2, 3].map((key) => batch.load(key)));
    await eventually(() => expect(statements).toHaveLength(1));
    statements[0]!.end();
    expect(await answers).toEqual([10, 20, 30]);
  });

  test('collects while two statements are under way: an answer is never older than its question', async () => {
    const { batch, statements } = controlled();
    const answers = [];
    for (const key of [1, 2]) {
      answers.push(batch.load(key));
      await eventually(() => expect(statements).toHaveLength(key));
    }
    for (const key of [3, 4, 5]) answers.push(batch.load(key));
    await new Promise(setImmediate);
    expect(statements.map(({ keys }) => keys)).toEqual([[1], [2]]);
    statements[0]!.end();
    await eventually(() => expect(statements.map(({ keys }) => keys)).toEqual([[1], [2], [3, 4, 5]]));
    for (const { end } of statements) end();
    expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50]);
  });

  test('a key that cannot be read costs the others nothing', async () => {
    const batch = new ReadBatch<string, string>(async (keys) => {
      if (keys.includes('bad')) throw new Error('invalid byte sequence');
      return keys;
    });
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((key) => batch.load(key)));
    expect(results).toMatchObject([{ value: 'a' }, { reason: { message: 'invalid byte sequence' } }, { value: 'b' }]);
  });

  test('fails all at once while the database is unreachable, and asks again for the next ones', async () => {
    let statements = 0;
    const batch = new ReadBatch<string, string>(async (keys) => {
      statements += 1;
      if (statements === 1) throw new ChatError('STORAGE_UNAVAILABLE', 'away');
      return keys;
    });
    const results = await Promise.allSettled(['a', 'b', 'c'].map((key) => batch.load(key)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(statements).toBe(1);
    expect(await batch.load('a')).toBe('a');
  });
});
