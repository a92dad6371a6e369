import { describe } from 'vitest';
import { MemoryRateLimiter } from './memory-rate-limiter.ts';
import { testRateLimiter } from './rate-limiter-conformance.ts';

describe('a rate limiter in memory', () => {
  testRateLimiter((rates) => new MemoryRateLimiter(rates));
});
