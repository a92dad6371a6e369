import { ChatError } from '../model/errors.ts';
import type { Step } from './call.ts';

/** Knows the calls under way, and lets no new ones in once draining has begun. */
export class Drain {
  #draining = false;
  #underWay = 0;
  #onIdle: (() => void)[] = [];

  /** Refuses with UNAVAILABLE (DRAINING): the call has done nothing and can be made elsewhere. */
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

  /** Resolves when the calls under way, streams too, have ended. */
  async begin(): Promise<void> {
    this.#draining = true;
    while (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
      });
    }
  }
}

export function drainingError(): ChatError {
  return new ChatError('DRAINING', 'the service is being stopped or replaced: connect again', { retryAfterMs: 500 });
}
