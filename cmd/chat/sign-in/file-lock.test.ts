import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testRandom } from '../../../internal/testing/random.ts';
import { turns } from '../../../internal/testing/turns.ts';
import { withFileLock } from './file-lock.ts';

async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-lock-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'lock');
}

/** How many were inside at the same time at the most. */
async function mostInside(file: string, count: number): Promise<number> {
  const random = testRandom();
  let [inside, most] = [0, 0];
  const one = () =>
    withFileLock(file, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await turns(random.below(10));
      inside -= 1;
    });
  await Promise.all(Array.from({ length: count }, one));
  return most;
}

test('only one program at a time has the lock', async () => {
  expect(await mostInside(await newFile(), 20)).toBe(1);
});

test('a lock that a killed program has left is removed by one of the programs that wait', async () => {
  const file = await newFile();
  const { pid } = spawnSync('true');
  for (let round = 0; round < 30; round += 1) {
    await writeFile(file, `${pid} left`);
    expect(await mostInside(file, 5)).toBe(1);
  }
});

test('the lock is released when the work under it fails', async () => {
  const file = await newFile();
  await expect(withFileLock(file, () => Promise.reject(new Error('oh')))).rejects.toThrow('oh');
  expect(await withFileLock(file, async () => 'had')).toBe('had');
});
