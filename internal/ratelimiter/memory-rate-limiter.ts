import { RateLimiterMemory } from 'rate-limiter-flexible';
import { FlexibleRateLimiter, type Rate, type Rates } from './flexible-rate-limiter.ts';

export type { Rate } from './flexible-rate-limiter.ts';

/** Counts uses in the memory of one process. */
export class MemoryRateLimiter extends FlexibleRateLimiter {
  constructor(rates: Rates) {
    super(rates, newMemoryLimiter);
  }
}

export function newMemoryLimiter(keyPrefix: string, { points, seconds }: Rate): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix, points, duration: seconds });
}
