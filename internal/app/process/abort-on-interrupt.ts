/** Returns a signal that the first SIGINT or SIGTERM aborts, with an error of this message. A second one ends the process at once. */
export function abortOnInterrupt(message: string): AbortSignal {
  const stop = new AbortController();
  const abort = () => stop.abort(new Error(message));
  process.once('SIGINT', abort).once('SIGTERM', abort);
  return stop.signal;
}

/** Resolves or rejects as the work does, and rejects with the signal's reason when that aborts first. The work is then left to itself. */
export async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const interrupted = Promise.withResolvers<never>();
  const abort = () => interrupted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, interrupted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
