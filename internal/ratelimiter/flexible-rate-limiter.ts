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
  readonly #create: (name: string, rate: Rate) => RateLimiterAbstract;
  readonly #named = new Map<string, RateLimiterAbstract | undefined>();
  #others: RateLimiterAbstract | undefined;
  #rates: Rates | undefined;

  /** `create` creates a limiter whose keys begin with the given name. */
  constructor(rates: Rates, create: (name: string, rate: Rate) => RateLimiterAbstract) {
    this.#create = create;
    this.setRates(rates);
  }

  /** Puts other rates in force, for the same methods. A rate that changes counts from 0, unless its uses are counted outside this process. */
  setRates(rates: Rates): void {
    const before = this.#rates;
    for (const [method, rate] of Object.entries(rates.named)) {
      if (!isSame(rate, before?.named[method])) this.#named.set(method, this.#limiter(method, rate));
    }
    if (!isSame(rates.others, before?.others)) this.#others = this.#limiter('others', rates.others);
    this.#rates = rates;
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

  #limiter(name: string, rate: Rate): RateLimiterAbstract | undefined {
    return rate.points > 0 ? this.#create(name, rate) : undefined;
  }

  #limiterOf(method: string): RateLimiterAbstract | undefined {
    return this.#named.has(method) ? this.#named.get(method) : this.#others;
  }
}

function isSame(rate: Rate, other: Rate | undefined): boolean {
  return rate.points === other?.points && rate.seconds === other.seconds;
}
