import { ChatError } from '../model/errors.ts';
import type { Interceptor, UnaryOnly } from './call.ts';

/**
 * Ends the wait for a unary call after a time, whatever deadline the client has set; and at once when the client has gone.
 * What the call has begun goes on to its own end: the database bounds each statement.
 */
export function deadline(timeoutMs: number): UnaryOnly {
  const unary: Interceptor = async (call, next) => {
    const controller = new AbortController();
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    // Told by the race below; when nothing is over in time nobody waits for it any more.
    stopped.catch(() => {});
    const stop = (error: ChatError) => {
      controller.abort(error);
      reject(error);
    };
    const gone = () => stop(new ChatError('CLIENT_GONE', 'the call was cancelled'));
    const clientSignal = call.signal;
    if (clientSignal.aborted) gone();
    clientSignal.addEventListener('abort', gone, { once: true });
    const timer = setTimeout(() => {
      stop(new ChatError('TIMED_OUT', `the call took longer than ${timeoutMs} ms`, { retryAfterMs: 1_000 }));
    }, timeoutMs);
    call.signal = controller.signal;
    try {
      return await Promise.race([next(), stopped]);
    } finally {
      clearTimeout(timer);
      clientSignal.removeEventListener('abort', gone);
    }
  };
  return { unary };
}
