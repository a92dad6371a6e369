import type { Config } from '../../config/config.ts';
import { MemoryRateLimiter } from '../../ratelimiter/memory-rate-limiter.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import { RedisRateLimiter } from '../../ratelimiter/redis-rate-limiter.ts';
import type { OpenedRedis } from './open-redis.ts';

/** Opens the rate limiter. With Redis it counts for all nodes together, without Redis for this process. */
export function openRateLimiter(
  { messagesPerSecond, callsPerSecond, guestsPerMinute, signInsPerMinute, loginFailures }: Config['rates'],
  redis: OpenedRedis | undefined,
): RateLimiter {
  const rates = {
    named: {
      SendMessage: { points: messagesPerSecond, seconds: 1 },
      Guest: { points: guestsPerMinute, seconds: 60 },
      Login: { points: signInsPerMinute, seconds: 60 },
      Register: { points: signInsPerMinute, seconds: 60 },
      Password: { points: loginFailures, seconds: 900 },
      PasswordOfName: { points: 10 * loginFailures, seconds: 900 },
    },
    others: { points: callsPerSecond, seconds: 1 },
  };
  return redis ? new RedisRateLimiter(redis.client, redis.prefix, rates) : new MemoryRateLimiter(rates);
}
