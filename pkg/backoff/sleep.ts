/**
 * Resolves after `ms` milliseconds, or as soon as the signal aborts. Never rejects. Also runs in browsers.
 * Without a signal, server code uses `node:timers/promises` instead.
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
