import { vi } from 'vitest';

/** Waits until the check passes, at most `timeoutMs`, and returns what it returns; throws what it threw last. */
export function eventually<T>(check: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 20 });
}
