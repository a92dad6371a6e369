import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import { ChatError } from '../model/errors.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** At most `points` uses in `seconds` seconds; 0 points: no limit. */
export interface Rate {
  points: number;
  seconds: number;
}

/** The limits per caller: one for each named method, and one for all other methods together. */
export interface Rates {
  named: Readonly<Record<string, Rate>>;
  others: Rate;
}

/** Counts uses per caller and method with limiters of the library rate-limiter-flexible. */
export class FlexibleRateLimiter implements RateLimiter {
  readonly #named = new Map<string, RateLimiterAbstract | undefined>();
  readonly #others: RateLimiterAbstract | undefined;

  /** `create` creates a limiter whose keys begin with the given name. */
  constructor({ named, others }: Rates, create: (name: string, rate: Rate) => RateLimiterAbstract) {
    const limiterOf = (name: string, rate: Rate) => (rate.points > 0 ? create(name, rate) : undefined);
    for (const [method, rate] of Object.entries(named)) this.#named.set(method, limiterOf(method, rate));
    this.#others = limiterOf('others', others);
  }

  async consume(method: string, caller: string): Promise<void> {
    const limiter = this.#limiterOf(method);
    if (!limiter) return;
    try {
      await limiter.consume(caller);
    } catch (cause) {
      if (!(cause instanceof RateLimiterRes)) throw cause;
      throw new ChatError('RATE_LIMITED', `too many calls of ${method}: try again later`, {
        // Timers count whole milliseconds: one more, so that a client that waits as long is not too early.
        retryAfterMs: Math.ceil(cause.msBeforeNext) + 1,
      });
    }
  }

  async forget(method: string, caller: string): Promise<void> {
    await this.#limiterOf(method)?.delete(caller);
  }

  #limiterOf(method: string): RateLimiterAbstract | undefined {
    return this.#named.has(method) ? this.#named.get(method) : this.#others;
  }
}
