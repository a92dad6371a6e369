import { ChatError } from '../../model/errors.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';

export interface AdmissionQueueOptions {
  /** Sessions admitted per second. */
  perSecond: number;
  /** Sessions that may wait; further ones are refused. */
  maxWaiting: number;
}

/** Milliseconds between two groups of sessions. The sessions of a group begin together, so that their identical reads share one query. */
const groupMs = 40;

/**
 * Admits new sessions at a fixed rate, first come, first served, so that thousands of clients that reconnect at once do not delay the
 * delivery to connected ones. Below the rate no session waits.
 */
export class AdmissionQueue {
  readonly #options: AdmissionQueueOptions;
  readonly #waiting = new Set<() => void>();
  #admitted = 0;
  #timer: NodeJS.Timeout | undefined;

  /** The options are read at each arrival. */
  constructor(options: AdmissionQueueOptions) {
    this.#options = options;
  }

  /** Sessions that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves to true when the session is admitted, to false if the signal aborts first. Throws UNAVAILABLE (TOO_MANY_ARRIVALS) with a random
   * retry time.
   */
  async enter(signal: LightAbortSignal): Promise<boolean> {
    if (this.#admitted >= this.#groupSize) return this.#wait(signal);
    this.#admitted += 1;
    this.#timer ??= setTimeout(() => this.#nextGroup(), groupMs).unref();
    return !signal.aborted;
  }

  async #wait(signal: LightAbortSignal): Promise<boolean> {
    if (this.#waiting.size >= this.#options.maxWaiting) {
      const retryAfterMs = Math.ceil(1_000 + Math.random() * 4_000);
      throw new ChatError('TOO_MANY_ARRIVALS', 'too many are connecting at the moment', { retryAfterMs });
    }
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const proceed = () => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      // A client that gives up and reconnects must not hold two places.
      const leave = () => {
        this.#waiting.delete(proceed);
        resolve(false);
      };
      this.#waiting.add(proceed);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Admits all that wait. For a shutdown, when there are no connected clients left to protect. */
  open(): void {
    for (const proceed of this.#waiting) proceed();
    this.#waiting.clear();
  }

  get #groupSize(): number {
    return Math.ceil((this.#options.perSecond * groupMs) / 1_000);
  }

  #nextGroup(): void {
    this.#timer = undefined;
    this.#admitted = 0;
    for (const proceed of this.#waiting) {
      if (this.#admitted >= this.#groupSize) break;
      this.#waiting.delete(proceed);
      this.#admitted += 1;
      proceed();
    }
    if (this.#admitted > 0) this.#timer = setTimeout(() => this.#nextGroup(), groupMs).unref();
  }
}
