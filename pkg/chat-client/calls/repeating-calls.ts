import { ChatType } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import type { TokenKeeper } from '../auth/token-source.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import type { ChatCalls, Transport } from '../transports/transport.ts';

/** After so long without success a call is not tried again, in milliseconds. */
const patienceMs = 10_000;

export type Call = <Method extends keyof ChatCalls>(
  method: Method,
  request: Parameters<ChatCalls[Method]>[0],
) => Promise<Awaited<ReturnType<ChatCalls[Method]>>>;

/** Makes unary calls as the user; tries again for a while when the service is away. They throw ChatClientError. */
export function repeatingCalls(transport: Transport, tokens: TokenKeeper, closed: AbortSignal): Call {
  return async (method, request) => {
    const backoff = new Backoff(retryPauses);
    const giveUpAt = Date.now() + patienceMs;
    for (;;) {
      try {
        const { token } = await tokens.get();
        const call = transport.chat[method] as (request: unknown, options: object) => Promise<never>;
        return await call(request, { token, signal: closed });
      } catch (error) {
        const waitMs = backoff.next(error instanceof ChatClientError ? error.retryAfterMs : 0);
        const again = error instanceof ChatClientError && error.temporary && isRepeatable(method, request as object);
        if (!again || Date.now() + waitMs > giveUpAt || closed.aborted) throw error;
        await sleep(waitMs, closed);
      }
    }
  };
}

/** Whether making the call twice does no more than making it once. */
function isRepeatable(method: keyof ChatCalls, request: object): boolean {
  return method !== 'createChat' || (request as { type?: ChatType }).type === ChatType.DIRECT;
}
