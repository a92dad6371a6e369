import type { Logger } from 'pino';

/** Logs a failure that may come again and again: the first one, and then one in a while with how many there have been. */
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

  add(err: unknown): void {
    this.#failures += 1;
    const now = performance.now();
    if (now < this.#nextAt) return;
    this.#log.warn({ err, failures: this.#failures }, this.#text);
    this.#failures = 0;
    this.#nextAt = now + this.#intervalMs;
  }
}
