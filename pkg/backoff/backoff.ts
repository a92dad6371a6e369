import { equalJitter, fullJitter } from './jitter.ts';
import { sleep } from './sleep.ts';

const jitters = { full: fullJitter, equal: equalJitter, none: (ms: number) => ms };

export interface BackoffOptions {
  /** Maximum length of the first wait in milliseconds. */
  firstMs: number;
  /** Maximum length of any wait in milliseconds. */
  maxMs: number;
  /** Factor by which the maximum grows from one wait to the next. Default 2. */
  factor?: number;
  /** `full`: a random time up to the wait's maximum. `equal`: a random time from half of the maximum. `none`: the maximum. */
  jitter: keyof typeof jitters;
}

/**
 * The waits between attempts that fail: exponential, up to a longest one. With jitter they are random, so that clients that lost the same server do not
 * all try again at the same moment. Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Returns the next wait in milliseconds. It is at least `leastMs`, for a service that said when to try again. */
  next(leastMs = 0): number {
    const { firstMs, maxMs, factor = 2, jitter } = this.#options;
    const longestMs = Math.min(firstMs * factor ** this.#attempts, maxMs);
    this.#attempts += 1;
    return Math.max(leastMs, jitters[jitter](longestMs));
  }

  /** Waits for the time that `next` returns. Resolves early, without an error, if the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return sleep(this.next(), signal);
  }

  /** Starts again with the first wait. Call it after a successful attempt. */
  reset(): void {
    this.#attempts = 0;
  }
}
