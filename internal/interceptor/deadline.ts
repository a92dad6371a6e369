import { ChatError } from '../model/errors.ts';
import type { Interceptor, UnaryOnly } from './call.ts';

/**
 * Answers a unary call with DEADLINE_EXCEEDED (TIMED_OUT) after `timeoutMs`, whatever deadline the client has set, and with CANCELLED when the client
 * disconnects. Work that the handler has begun is not interrupted; the database's statement timeout bounds it.
 */
export function deadline(timeoutMs: number): UnaryOnly {
  const unary: Interceptor = async (call, next) => {
    const controller = new AbortController();
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    // The race below reports the rejection. After the race it must not count as unhandled.
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
