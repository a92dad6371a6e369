import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Backoff } from './backoff.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const never = new AbortController().signal;

/** The next `count` waits, all of them as short or all as long as they can be. */
function waits(backoff: Backoff, random: 'shortest' | 'longest', count: number): number[] {
  vi.spyOn(Math, 'random').mockReturnValue(random === 'shortest' ? 0 : 1);
  return Array.from({ length: count }, () => backoff.next());
}

test('waits double up to the longest one, and begin again after a reset', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, jitter: 'full' });
  expect(waits(backoff, 'longest', 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  backoff.reset();
  expect(waits(backoff, 'longest', 2)).toEqual([100, 200]);
});

test('another factor makes them grow faster', () => {
  const backoff = new Backoff({ firstMs: 50, maxMs: 10_000, factor: 3, jitter: 'equal' });
  expect(waits(backoff, 'longest', 5)).toEqual([50, 150, 450, 1_350, 4_050]);
});

test('with full jitter a wait may be nothing, with equal jitter it is at least half of its longest, without jitter its longest', () => {
  const options = { firstMs: 100, maxMs: 1_000 };
  expect(waits(new Backoff({ ...options, jitter: 'full' }), 'shortest', 3)).toEqual([0, 0, 0]);
  expect(waits(new Backoff({ ...options, jitter: 'equal' }), 'shortest', 3)).toEqual([50, 100, 200]);
  expect(waits(new Backoff({ ...options, jitter: 'none' }), 'shortest', 3)).toEqual([100, 200, 400]);
});

test('two clients that lost the same server wait for different times', () => {
  const [one, other] = [1, 2].map(() => new Backoff({ firstMs: 1_000, maxMs: 1_000, jitter: 'equal' }));
  expect(one!.next()).not.toBe(other!.next());
});

test('a wait is as long as a service asks for, and longer than the longest one if it must', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, jitter: 'full' });
  expect(backoff.next(5_000)).toBe(5_000);
});

test('after thousands of failures a wait is still the longest one', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, jitter: 'full' });
  expect(waits(backoff, 'longest', 3_000).at(-1)).toBe(1_000);
});

test('wait takes the time of the next wait', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, jitter: 'full' });
  for (const ms of [100, 200]) {
    const begun = Date.now();
    const over = backoff.wait(never).then(() => Date.now() - begun);
    await vi.runAllTimersAsync();
    expect(await over).toBe(ms);
  }
});

test('wait resolves at once when its signal aborts, before it or meanwhile, and leaves no timer', async () => {
  const backoff = new Backoff({ firstMs: 60_000, maxMs: 60_000, jitter: 'equal' });
  const stopping = new AbortController();
  const waiting = backoff.wait(stopping.signal);
  expect(vi.getTimerCount()).toBe(1);
  stopping.abort();
  await waiting;
  expect(vi.getTimerCount()).toBe(0);
  await backoff.wait(stopping.signal);
  expect(vi.getTimerCount()).toBe(0);
});
