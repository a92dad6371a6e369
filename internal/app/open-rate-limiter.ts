import type { Config } from '../config/config.ts';
import { MemoryRateLimiter } from '../ratelimiter/memory-rate-limiter.ts';
import type { RateLimiter } from '../ratelimiter/rate-limiter.ts';

/** What the configuration allows, by method. */
export function openRateLimiter({
  messagesPerSecond,
  callsPerSecond,
  guestsPerMinute,
  signInsPerMinute,
  loginFailures,
}: Config['rates']): RateLimiter {
  return new MemoryRateLimiter({
    named: {
      SendMessage: { points: messagesPerSecond, seconds: 1 },
      Guest: { points: guestsPerMinute, seconds: 60 },
      Login: { points: signInsPerMinute, seconds: 60 },
      Register: { points: signInsPerMinute, seconds: 60 },
      Password: { points: loginFailures, seconds: 900 },
      PasswordOfName: { points: 10 * loginFailures, seconds: 900 },
    },
    others: { points: callsPerSecond, seconds: 1 },
  });
}
