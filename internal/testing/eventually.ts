import { vi } from 'vitest';

/** Waits until the check passes, and returns what it returns; throws what it threw last after a minute, which only a hang takes. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 20 });
}
