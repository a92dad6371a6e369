import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Resolves true once `condition` holds, false when it does not within `timeoutMs`; rejects when aborted. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await delay(Math.min(POLL_MS, leftMs), undefined, { signal });
  }
}
