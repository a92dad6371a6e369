import { setTimeout as delay } from 'node:timers/promises';

/**
 * Makes a change of a message that `INGEST=jetstream` has accepted, and returns its receipt. The service answers UNAVAILABLE if the message is not
 * written within two seconds; like a client, this tries again then, so the change must be the same each time.
 */
export async function whenWritten<T>(change: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await change();
    } catch (error) {
      const { reason, retryAfterMs } = error as { reason?: string; retryAfterMs?: number };
      if (reason !== 'STORAGE_UNAVAILABLE') throw error;
      await delay(retryAfterMs ?? 500);
    }
  }
}
