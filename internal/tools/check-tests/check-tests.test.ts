import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkTests } from './check-tests.ts';

/** The faults of a repository with this one file in internal/. */
function check(name: string, source: string): string[] {
  const root = mkdtempSync(join(tmpdir(), 'check-tests-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'internal'));
  writeFileSync(join(root, 'internal', name), source);
  return checkTests(root);
}

test.each([
  ['a limit of elapsed time', `expect(${'performance'}.now() - begun).toBeLessThan(500);`, 'limit of time'],
  ['a sleep', `await new Promise((resolve) => ${'setTimeout'}(resolve, 1_000));`, 'fixed sleep'],
  ['a sleep of a library', `await ${'delay'}(50);`, 'fixed sleep'],
  ['a choice that no seed repeats', `const n = ${'Math'}.random();`, 'SEED'],
  ['a second attempt', `test('x', { ${'retry'}: 2 }, () => {});`, 'not tried again'],
])('%s is found', (_what, line, advice) => {
  expect(check('a.test.ts', `\n${line}\n`)).toEqual([expect.stringMatching(`^internal/a.test.ts:2: .*${advice}`)]);
});

test('a lower limit of time, a timer that a test needs and a spy on Math.random are accepted', () => {
  const source = [
    'expect(performance.now() - begun).toBeGreaterThan(700);',
    'setTimeout(() => stream.send(command), 200);',
    "vi.spyOn(Math, 'random').mockReturnValue(0);",
  ].join('\n');
  expect(check('a.test.ts', source)).toEqual([]);
});

test('a slow test file says why', () => {
  expect(check('a.slow.test.ts', "test('x', () => {});")).toEqual([expect.stringContaining('// Slow:')]);
  expect(check('b.slow.test.ts', '// Slow: it waits.')).toEqual([]);
});
