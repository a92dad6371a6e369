/**
 * Waiting times between attempts: exponential with full jitter, so that clients who lost the same server do not come back
 * together. Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor({ baseMs = 200, maxMs = 10_000 }: { baseMs?: number; maxMs?: number } = {}) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  /** The next time to wait, in milliseconds. `hintMs` is the service's own wish, which is not undercut. */
  next(hintMs = 0): number {
    const ceilingMs = Math.min(this.#baseMs * 2 ** this.#attempts, this.#maxMs);
    this.#attempts += 1;
    return Math.max(hintMs, Math.random() * ceilingMs);
  }

  /** To be called when an attempt has succeeded. */
  reset(): void {
    this.#attempts = 0;
  }
}
