import { expect, test } from 'vitest';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { pruneRegularly } from './prune.ts';

test('old items are removed in batches until none is left, round after round; failures are logged once and tried again', async () => {
  let left = 25;
  let failures = 3;
  const batches: number[] = [];
  const lines = new LogLines();
  const prune = async (limit: number) => {
    if (failures > 0) {
      failures -= 1;
      throw new Error('the database is away');
    }
    const count = Math.min(limit, left);
    left -= count;
    batches.push(count);
    return count;
  };
  const stop = pruneRegularly({ what: 'old things', prune, batch: 10, everyMs: 5, log: lines.logger });
  await eventually(() => expect(left).toBe(0));
  expect(batches.slice(0, 3)).toEqual([10, 10, 5]);
  left = 1;
  await eventually(() => expect(left).toBe(0));
  await stop();
  expect(lines.lines.map(({ msg }) => msg)).toEqual(['could not remove old things; trying again later']);
});
