import { type Chat, ChatType, type Message } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import type { TokenKeeper } from '../auth/token-source.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import type { ChatCalls, Transport } from '../transports/transport.ts';

/** A call is not repeated later than this many milliseconds after its first attempt. */
const patienceMs = 10_000;

/** A unary call of the contract by its name. Throws ChatClientError. */
export type Call = <Method extends keyof ChatCalls>(
  method: Method,
  request: Parameters<ChatCalls[Method]>[0],
) => Promise<Awaited<ReturnType<ChatCalls[Method]>>>;

interface Deps {
  transport: Transport;
  tokens: TokenKeeper;
  closed: AbortSignal;
  onAnswer: (answer: Answer) => void;
}

/** What answers have in common. */
export interface Answer {
  chat?: Chat;
  chats?: Chat[];
  message?: Message;
  messages?: Message[];
  root?: Message;
  referenced?: Message[];
}

/** Creates a function that makes unary calls with the user's token and retries temporary errors. The function throws ChatClientError. */
export function repeatingCalls({ transport, tokens, closed, onAnswer }: Deps): Call {
  return async (method, request) => {
    const backoff = new Backoff(retryPauses);
    const giveUpAt = Date.now() + patienceMs;
    for (;;) {
      try {
        const { token } = await tokens.get();
        const call = transport.chat[method] as (request: unknown, options: object) => Promise<never>;
        const answer: Answer = await call(request, { token, signal: closed });
        onAnswer(answer);
        return answer as never;
      } catch (error) {
        const waitMs = backoff.next(error instanceof ChatClientError ? error.retryAfterMs : 0);
        const again = error instanceof ChatClientError && error.temporary && isRepeatable(method, request as object);
        if (!again || Date.now() + waitMs > giveUpAt || closed.aborted) throw error;
        await sleep(waitMs, closed);
      }
    }
  };
}

/** Whether the call is idempotent. */
function isRepeatable(method: keyof ChatCalls, request: object): boolean {
  return method !== 'createChat' || (request as { type?: ChatType }).type === ChatType.DIRECT;
}
