import type { Response } from 'express';

/** Aborts when the client disconnects before the answer is complete. */
export function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}
