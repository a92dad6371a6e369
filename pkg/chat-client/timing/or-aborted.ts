/** Resolves with the promise's value, or with undefined as soon as the signal aborts. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = new AbortController();
  try {
    return await Promise.race([
      promise,
      new Promise<undefined>((resolve) => {
        if (signal.aborted) return resolve(undefined);
        signal.addEventListener('abort', () => resolve(undefined), { once: true, signal: aborted.signal });
      }),
    ]);
  } finally {
    aborted.abort();
  }
}
