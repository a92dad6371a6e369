import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ChatError } from '../model/errors.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** So many uses in so many seconds; 0 points: no limit. */
export interface Rate {
  points: number;
  seconds: number;
}

/** Counts within one process, for each caller and each of the named methods; all other methods count together. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #named = new Map<string, RateLimiterMemory | undefined>();
  readonly #others: RateLimiterMemory | undefined;

  constructor({ named, others }: { named: Readonly<Record<string, Rate>>; others: Rate }) {
    for (const [method, rate] of Object.entries(named)) this.#named.set(method, toLimiter(method, rate));
    this.#others = toLimiter('others', others);
  }

  async consume(method: string, caller: string): Promise<void> {
    const limiter = this.#limiterOf(method);
    if (!limiter) return;
    try {
      await limiter.consume(caller);
    } catch (cause) {
      if (!(cause instanceof RateLimiterRes)) throw cause;
      throw new ChatError('RATE_LIMITED', `too many calls of ${method}: try again later`, {
        // Clocks and timers count whole milliseconds: one more, so that whoever waits as long is not too early.
        retryAfterMs: Math.ceil(cause.msBeforeNext) + 1,
      });
    }
  }

  async forget(method: string, caller: string): Promise<void> {
    await this.#limiterOf(method)?.delete(caller);
  }

  #limiterOf(method: string): RateLimiterMemory | undefined {
    return this.#named.has(method) ? this.#named.get(method) : this.#others;
  }
}

function toLimiter(keyPrefix: string, { points, seconds }: Rate): RateLimiterMemory | undefined {
  return points > 0 ? new RateLimiterMemory({ keyPrefix, points, duration: seconds }) : undefined;
}
