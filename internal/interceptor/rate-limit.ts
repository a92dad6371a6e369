import { clientNetwork } from '../ratelimiter/client-network.ts';
import type { RateLimiter } from '../ratelimiter/rate-limiter.ts';
import type { Step } from './call.ts';

/** Counts calls by user, or by address where anyone may call. */
export function rateLimit(limiter: RateLimiter): Step {
  return { begin: (call) => limiter.consume(call.method, call.principal?.userId ?? clientNetwork(call.peer)) };
}
