import type { BackoffOptions } from '../../backoff/backoff.ts';

/** The waits between attempts of the SDK, unless the service asks for a longer one. */
export const retryPauses: BackoffOptions = { firstMs: 200, maxMs: 10_000, jitter: 'full' };
