import { ChatError } from '../../model/errors.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';

export interface AdmissionQueueOptions {
  /** Sessions that may begin in a second. */
  perSecond: number;
  /** Sessions that wait for that; beyond that they are sent away. */
  maxWaiting: number;
}

/** They are let in in groups so many milliseconds apart: those of a group share what they read. */
const groupMs = 40;

/**
 * Lets new sessions in at a steady pace, in the order in which they came: when thousands come back at once, those who are connected already
 * shall not notice. As long as no more come than may, nobody waits.
 */
export class AdmissionQueue {
  readonly #groupSize: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #arrived = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ perSecond, maxWaiting }: AdmissionQueueOptions) {
    this.#groupSize = Math.ceil((perSecond * groupMs) / 1_000);
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Resolves true when it is this one's turn, false when the signal is aborted. Throws UNAVAILABLE (TOO_MANY_ARRIVALS), with a time of its own to
   * come back after.
   */
  async enter(signal: LightAbortSignal): Promise<boolean> {
    if (this.#arrived >= this.#groupSize) return this.#wait(signal);
    this.#arrived += 1;
    this.#timer ??= setTimeout(() => this.#nextGroup(), groupMs).unref();
    return !signal.aborted;
  }

  async #wait(signal: LightAbortSignal): Promise<boolean> {
    if (this.#waiting.size >= this.#maxWaiting) {
      const retryAfterMs = Math.ceil(1_000 + Math.random() * 4_000);
      throw new ChatError('TOO_MANY_ARRIVALS', 'too many are connecting at the moment', { retryAfterMs });
    }
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const proceed = () => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      // Whoever loses patience and comes again must not stand in the way of others twice.
      const leave = () => {
        this.#waiting.delete(proceed);
        resolve(false);
      };
      this.#waiting.add(proceed);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Lets all in who wait: there is nobody left whom they could be in the way of. */
  open(): void {
    for (const proceed of this.#waiting) proceed();
    this.#waiting.clear();
  }

  #nextGroup(): void {
    this.#timer = undefined;
    this.#arrived = 0;
    for (const proceed of this.#waiting) {
      if (this.#arrived >= this.#groupSize) break;
      this.#waiting.delete(proceed);
      this.#arrived += 1;
      proceed();
    }
    if (this.#arrived > 0) this.#timer = setTimeout(() => this.#nextGroup(), groupMs).unref();
  }
}
