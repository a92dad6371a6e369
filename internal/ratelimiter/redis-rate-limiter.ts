import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisClient } from '../client/redis/redis-client.ts';
import { FlexibleRateLimiter, type Rates } from './flexible-rate-limiter.ts';
import { newMemoryLimiter } from './memory-rate-limiter.ts';

/**
 * Counts for all nodes that share a Redis: one round trip for each use, and none for a caller who has used everything up. While Redis
 * cannot be reached each node counts by itself.
 */
export class RedisRateLimiter extends FlexibleRateLimiter {
  /** `prefix` begins the keys. */
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
