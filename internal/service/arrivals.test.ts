import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { Arrivals } from './arrivals.ts';

const never = new AbortController().signal;

/** Sessions that arrive, in order, each noted when its turn comes. */
function crowd(arrivals: Arrivals, count: number) {
  const turns: number[] = [];
  const leave: (() => void)[] = [];
  const entered = Array.from({ length: count }, async (_, i) => {
    const left = await arrivals.enter(never);
    turns.push(i);
    leave[i] = () => left?.();
  });
  return { turns, leave, entered };
}

test('sessions arrive a few at a time, in the order in which they came', async () => {
  const { turns, leave } = crowd(new Arrivals({ concurrent: 2, maxWaiting: 10, turnMs: 60_000 }), 5);
  await eventually(() => expect(turns).toEqual([0, 1]));
  leave[1]!();
  leave[1]!();
  await eventually(() => expect(turns).toEqual([0, 1, 2]));
  leave[0]!();
  leave[2]!();
  await eventually(() => expect(turns).toEqual([0, 1, 2, 3, 4]));
});

test('one that takes long is not waited for', async () => {
  const { turns } = crowd(new Arrivals({ concurrent: 1, maxWaiting: 10, turnMs: 5 }), 4);
  await eventually(() => expect(turns).toEqual([0, 1, 2, 3]));
});

test('when too many wait, more are sent away, each with a time of its own', async () => {
  const arrivals = new Arrivals({ concurrent: 1, maxWaiting: 1, turnMs: 60_000 });
  crowd(arrivals, 2);
  const refusals = await Promise.all(
    Array.from({ length: 20 }, () => arrivals.enter(never).catch((error: unknown) => error)),
  );
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'UNAVAILABLE', reason: 'TOO_MANY_ARRIVALS' });
  const times = refusals.map((refusal) => (refusal as { retryAfterMs: number }).retryAfterMs);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(1_000);
  expect(new Set(times).size).toBeGreaterThan(10);
});

test('one that goes while it waits takes no turn', async () => {
  const arrivals = new Arrivals({ concurrent: 1, maxWaiting: 10, turnMs: 60_000 });
  const { turns, leave } = crowd(arrivals, 1);
  await eventually(() => expect(turns).toEqual([0]));
  const gone = new AbortController();
  const waiting = arrivals.enter(gone.signal);
  const next = arrivals.enter(never);
  gone.abort();
  expect(await waiting).toBeUndefined();
  leave[0]!();
  expect(await next).toBeTypeOf('function');
  expect(await arrivals.enter(gone.signal)).toBeUndefined();
});
