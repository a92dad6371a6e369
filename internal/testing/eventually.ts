import { vi } from 'vitest';

/** Repeats the check until it passes, and returns its result. Throws its last error after 60 s, a time that means a hang. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 20 });
}
