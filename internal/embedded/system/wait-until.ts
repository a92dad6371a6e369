import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Resolves with true as soon as `condition` holds, and with false after `timeoutMs` milliseconds. Rejects if the signal aborts. */
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
