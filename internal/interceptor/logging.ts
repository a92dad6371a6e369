import type { Logger } from 'pino';
import type { Call, Step } from './call.ts';
import { codeOf } from './metrics.ts';

/** Logs one line when a call or stream ends. */
export function logging(log: Logger): Step {
  const end = (call: Call, error: unknown) => {
    const code = codeOf(call, error);
    const level = code === 'INTERNAL' || code === 'UNKNOWN' ? 'error' : 'info';
    log[level](
      {
        method: call.method,
        code,
        durationMs: Math.round((performance.now() - (call.begun ?? 0)) * 1_000) / 1_000,
        user: call.principal?.userId,
        traceId: call.traceId,
        peer: call.peer,
      },
      call.kind === 'unary' ? 'call' : 'stream ended',
    );
    return error;
  };
  return {
    begin: (call) => {
      call.begun = performance.now();
    },
    end,
  };
}
