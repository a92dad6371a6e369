import { ChatError } from '../model/errors.ts';
import type { Step } from './call.ts';

/** Counts the running calls, and refuses new ones once draining has begun. */
export class Drain {
  #draining = false;
  #underWay = 0;
  #onIdle: (() => void)[] = [];

  /** Refuses calls with UNAVAILABLE (DRAINING): a refused call has had no effect, so the client can repeat it on another node. */
  readonly interceptor: Step = {
    begin: () => {
      if (this.#draining) throw drainingError();
      this.#underWay += 1;
    },
    end: (_call, error) => {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      return error;
    },
  };

  /** Begins to refuse calls. Resolves when the running calls and streams have ended. */
  async begin(): Promise<void> {
    this.#draining = true;
    while (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
      });
    }
  }
}

/** UNAVAILABLE (DRAINING), with a retry time of 500 ms. */
export function drainingError(): ChatError {
  return new ChatError('DRAINING', 'the service is being stopped or replaced: connect again', { retryAfterMs: 500 });
}
