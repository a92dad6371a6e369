import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { AdmissionQueue } from './admission-queue.ts';

const here = new AbortController().signal;

/** Sessions that arrive, in order; tells when each had its turn. */
function crowd(admission: AdmissionQueue, count: number) {
  const turns: number[] = [];
  const entered = Array.from({ length: count }, async (_, who) => {
    if (await admission.enter(here)) turns.push(who);
  });
  return { turns, entered };
}

test('sessions are admitted at a fixed rate, first come, first served', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { turns } = crowd(new AdmissionQueue({ perSecond: 100, maxWaiting: 100 }), 20);
  // In groups of four, 40 ms apart.
  for (let group = 1; group <= 5; group += 1) {
    await vi.advanceTimersByTimeAsync(39);
    expect(turns).toEqual(Array.from({ length: 4 * group }, (_, i) => i));
    await vi.advanceTimersByTimeAsync(1);
  }
});

test('after a quiet time no session waits', async () => {
  const admission = new AdmissionQueue({ perSecond: 25, maxWaiting: 0 });
  expect(await admission.enter(here)).toBe(true);
  await eventually(async () => expect(await admission.enter(here)).toBe(true));
});

test('when too many wait, further ones are refused, each with a random retry time', async () => {
  const admission = new AdmissionQueue({ perSecond: 25, maxWaiting: 1 });
  crowd(admission, 2);
  const refusals = await Promise.all(
    Array.from({ length: 20 }, () => admission.enter(here).catch((error: unknown) => error)),
  );
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'UNAVAILABLE', reason: 'TOO_MANY_ARRIVALS' });
  const times = refusals.map((refusal) => (refusal as { retryAfterMs: number }).retryAfterMs);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(1_000);
  expect(new Set(times).size).toBeGreaterThan(10);
});

test('a session whose client goes while it waits is not admitted, and leaves its place to others', async () => {
  const admission = new AdmissionQueue({ perSecond: 25, maxWaiting: 1 });
  const gone = new AbortController();
  expect(await admission.enter(here)).toBe(true);
  const waiting = admission.enter(gone.signal);
  gone.abort();
  expect(await waiting).toBe(false);
  // There is room for one.
  const next = admission.enter(here);
  await expect(admission.enter(here)).rejects.toMatchObject({ reason: 'TOO_MANY_ARRIVALS' });
  expect(await next).toBe(true);
  expect(await admission.enter(gone.signal)).toBe(false);
});

test('once opened, the queue admits every session at once', async () => {
  const admission = new AdmissionQueue({ perSecond: 25, maxWaiting: 1_000 });
  const { entered, turns } = crowd(admission, 200);
  admission.open();
  await Promise.all(entered);
  expect(turns).toHaveLength(200);
});
