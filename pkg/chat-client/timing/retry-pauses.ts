import type { BackoffOptions } from '../../backoff/backoff.ts';

/** The waits before the SDK tries again what failed, unless the service asks for a longer one. */
export const retryPauses: BackoffOptions = { firstMs: 200, maxMs: 10_000, jitter: 'full' };
