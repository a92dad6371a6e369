import type { Logger } from 'pino';

/** Logs repeated failures at most once per interval, with the number of failures since the last line. The first is logged at once. */
export class RareWarning {
  readonly #log: Logger;
  readonly #text: string;
  readonly #intervalMs: number;
  #failures = 0;
  #nextAt = 0;

  constructor(log: Logger, text: string, intervalMs = 60_000) {
    this.#log = log;
    this.#text = text;
    this.#intervalMs = intervalMs;
  }

  /** Counts a failure, and logs it if the interval has passed. */
  add(err: unknown): void {
    this.#failures += 1;
    const now = performance.now();
    if (now < this.#nextAt) return;
    this.#log.warn({ err, failures: this.#failures }, this.#text);
    this.#failures = 0;
    this.#nextAt = now + this.#intervalMs;
  }
}
