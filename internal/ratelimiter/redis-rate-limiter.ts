import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisClient } from '../client/redis/redis-client.ts';
import { FlexibleRateLimiter, type Rates } from './flexible-rate-limiter.ts';
import { newMemoryLimiter } from './memory-rate-limiter.ts';

/**
 * Counts uses in Redis, for all nodes together. Each use costs one round trip; a caller over the limit costs none. While Redis is unreachable, each
 * node counts in its own memory.
 */
export class RedisRateLimiter extends FlexibleRateLimiter {
  /** All keys begin with `prefix`. */
  constructor(client: RedisClient, prefix: string, rates: Rates) {
    super(
      rates,
      (name, rate) =>
        new RateLimiterRedis({
          storeClient: client,
          rejectIfRedisNotReady: true,
          keyPrefix: `${prefix}rate:${name}`,
          points: rate.points,
          duration: rate.seconds,
          inMemoryBlockOnConsumed: rate.points,
          insuranceLimiter: newMemoryLimiter(name, rate),
        }),
    );
  }
}
