import { ChatError } from '../model/errors.ts';
import type { GoneSignal } from '../model/gone.ts';

export interface ArrivalsOptions {
  /** Sessions that are being begun, and caught up, at the same time. */
  concurrent: number;
  /** Sessions that wait for that; beyond that they are sent away. */
  maxWaiting: number;
  /** How long one may be in the way of the next, in milliseconds. */
  turnMs: number;
}

/**
 * Lets new sessions in a few at a time, in the order in which they came: when thousands come back at once, those who are connected already
 * shall not notice.
 */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #waiting = new Set<() => void>();
  #arriving = 0;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it is this one's turn, with what ends the turn; it ends by itself after a while. Undefined: the signal was aborted. Throws
   * UNAVAILABLE (TOO_MANY_ARRIVALS), with a time of its own to come back after.
   */
  async enter(signal: GoneSignal): Promise<(() => void) | undefined> {
    if (this.#arriving >= this.#options.concurrent && !(await this.#wait(signal))) return undefined;
    this.#arriving += 1;
    const leave = () => {
      if (!timer) return;
      clearTimeout(timer);
      // The session has this function for as long as it is open.
      timer = undefined;
      this.#arriving -= 1;
      // Not in this turn of the event loop: what others have to do comes between.
      setImmediate(() => this.#letIn());
    };
    let timer: NodeJS.Timeout | undefined = setTimeout(leave, this.#options.turnMs);
    timer.unref();
    return leave;
  }

  /** Whether the turn has come; false: the signal was aborted. */
  #wait(signal: GoneSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#waiting.size >= this.#options.maxWaiting) {
      const retryAfterMs = Math.ceil(1_000 + Math.random() * 4_000);
      throw new ChatError('TOO_MANY_ARRIVALS', 'too many are connecting at the moment', { retryAfterMs });
    }
    return new Promise((resolve) => {
      const proceed = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(true);
      };
      const giveUp = () => {
        this.#waiting.delete(proceed);
        resolve(false);
      };
      this.#waiting.add(proceed);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #letIn(): void {
    for (const proceed of this.#waiting) {
      if (this.#arriving >= this.#options.concurrent) return;
      this.#waiting.delete(proceed);
      proceed();
      return;
    }
  }
}
