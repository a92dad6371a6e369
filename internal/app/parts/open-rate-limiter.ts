import type { Config } from '../../config/config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import type { Rates } from '../../ratelimiter/flexible-rate-limiter.ts';
import { MemoryRateLimiter } from '../../ratelimiter/memory-rate-limiter.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import { RedisRateLimiter } from '../../ratelimiter/redis-rate-limiter.ts';
import type { OpenedRedis } from './open-redis.ts';

/** Opens the rate limiter. With Redis it counts for all nodes together, without Redis for this process. */
export function openRateLimiter(live: LiveConfig<Config>, redis: OpenedRedis | undefined): RateLimiter {
  const rates = toRates(live.current);
  const limiter = redis ? new RedisRateLimiter(redis.client, redis.prefix, rates) : new MemoryRateLimiter(rates);
  live.onReload((config) => limiter.setRates(toRates(config)));
  return limiter;
}

/** The limits of all calls, from the settings. */
export function toRates({ rates }: Config): Rates {
  const { messagesPerSecond, callsPerSecond, guestsPerMinute, signInsPerMinute, loginFailures, partsPerSecond } = rates;
  return {
    named: {
      SendMessage: { points: messagesPerSecond, seconds: 1 },
      StartMessage: { points: messagesPerSecond, seconds: 1 },
      Guest: { points: guestsPerMinute, seconds: 60 },
      Login: { points: signInsPerMinute, seconds: 60 },
      Register: { points: signInsPerMinute, seconds: 60 },
      Password: { points: loginFailures, seconds: 900 },
      PasswordOfName: { points: 10 * loginFailures, seconds: 900 },
      // A language model writes more than a hundred parts a second, which cost no more than a message in each flush.
      AppendMessage: { points: partsPerSecond, seconds: 1 },
    },
    others: { points: callsPerSecond, seconds: 1 },
  };
}
