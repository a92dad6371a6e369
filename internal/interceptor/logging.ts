import { ServerError, Status } from 'nice-grpc-common';
import type { Logger } from 'pino';
import type { Interceptor } from './call.ts';

/** Writes one line for each call, when it is over. */
export function logging(log: Logger): Interceptor {
  return async (call, next) => {
    const begun = performance.now();
    let code: keyof typeof Status = 'OK';
    try {
      return await next();
    } catch (error) {
      code = error instanceof ServerError ? (Status[error.code] as keyof typeof Status) : 'UNKNOWN';
      throw error;
    } finally {
      // A stream whose client has gone ends without an error.
      if (code === 'OK' && call.signal.aborted) code = 'CANCELLED';
      const level = code === 'INTERNAL' || code === 'UNKNOWN' ? 'error' : 'info';
      log[level](
        {
          method: call.method,
          code,
          durationMs: Math.round((performance.now() - begun) * 1_000) / 1_000,
          user: call.principal?.userId,
          traceId: call.traceId,
          peer: call.peer,
        },
        call.kind === 'unary' ? 'call' : 'stream ended',
      );
    }
  };
}
