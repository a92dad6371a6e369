import { clientNetwork } from '../ratelimiter/client-network.ts';
import type { RateLimiter } from '../ratelimiter/rate-limiter.ts';
import type { Step } from './call.ts';

/** Limits calls by user, or by the client's network if the method needs no token. Refuses with RATE_LIMITED. */
export function rateLimit(limiter: RateLimiter): Step {
  return { begin: (call) => limiter.consume(call.method, call.principal?.userId ?? clientNetwork(call.peer)) };
}
