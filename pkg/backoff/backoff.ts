import { equalJitter, fullJitter } from './jitter.ts';
import { sleep } from './sleep.ts';

const jitters = { full: fullJitter, equal: equalJitter, none: (ms: number) => ms };

export interface BackoffOptions {
  /** The longest that the first wait can be, in milliseconds. */
  firstMs: number;
  /** The longest that any wait can be, in milliseconds. */
  maxMs: number;
  /** How much longer each wait can be than the one before it; 2 unless given. */
  factor?: number;
  /** `full`: a wait is a random time up to its longest. `equal`: it is at least half of that. `none`: it is the longest. */
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

  /** The next wait, in milliseconds. It is at least `leastMs`, for a service that said when to try again. */
  next(leastMs = 0): number {
    const { firstMs, maxMs, factor = 2, jitter } = this.#options;
    const longestMs = Math.min(firstMs * factor ** this.#attempts, maxMs);
    this.#attempts += 1;
    return Math.max(leastMs, jitters[jitter](longestMs));
  }

  /** Waits for the time that `next` gives; resolves early, without an error, when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return sleep(this.next(), signal);
  }

  /** Begins with the first wait again. Call it when an attempt has succeeded. */
  reset(): void {
    this.#attempts = 0;
  }
}
