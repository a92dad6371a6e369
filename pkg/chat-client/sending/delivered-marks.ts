import type { Message } from '../../api/chat/v1/chat.ts';
import type { Stream } from '../transports/transport.ts';

/** Marks of a chat are collected for this many milliseconds, and the highest one is sent. */
const intervalMs = 3_000;

interface Deps {
  /** The current stream; undefined while offline. */
  stream: () => Stream | undefined;
  closed: AbortSignal;
}

/** Tells the service which messages this client has received, so that their senders can see it. */
export class DeliveredMarks {
  readonly #deps: Deps;
  /** The highest number to tell, by chat id. */
  readonly #waiting = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    deps.closed.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /** To be called for each message of another user. While offline, its mark waits for the next stream. */
  received({ chatId, seq }: Message): void {
    this.#waiting.set(chatId, Math.max(seq, this.#waiting.get(chatId) ?? 0));
    this.#schedule();
  }

  /** What the user has read needs no delivered mark. */
  read(chatId: string, seq: number): void {
    if (seq >= (this.#waiting.get(chatId) ?? Number.POSITIVE_INFINITY)) this.#waiting.delete(chatId);
  }

  /** To be called with each new stream. */
  online(): void {
    if (this.#waiting.size > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#deps.closed.aborted) return;
    this.#timer ??= setTimeout(() => this.#send(), intervalMs);
  }

  #send(): void {
    this.#timer = undefined;
    const stream = this.#deps.stream();
    if (!stream) return;
    for (const [chatId, seq] of this.#waiting)
      stream.send({ commandId: '', command: { $case: 'markDelivered', value: { chatId, seq } } });
    this.#waiting.clear();
  }
}
