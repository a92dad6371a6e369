import type { Message } from '../api/chat/v1/chat.ts';
import { Backoff } from './backoff.ts';
import type { Call } from './calls.ts';
import type { AllEvents } from './chat-client-events.ts';
import { ChatClientError, toChatClientError } from './chat-error.ts';
import type { Emitter } from './emitter.ts';
import { LiveBuffer } from './live-buffer.ts';
import { orAborted, sleep } from './sleep.ts';

export interface MessageFeedOptions {
  /** Messages with a greater number; 0 for all there are. Absent: those from now on. */
  afterSeq?: number;
  signal?: AbortSignal;
}

interface Deps {
  chatId: string;
  call: Call;
  emitter: Emitter<AllEvents>;
}

/**
 * A chat's messages, in order. It is either live, given what the client hears, or reads pages of the history: until it has come to their end
 * while the buffer was filling, so that nothing can lie between. Whatever breaks the buffer sends it back to the history.
 */
export class MessageFeed implements AsyncIterableIterator<Message> {
  readonly #deps: Deps;
  readonly #buffer: LiveBuffer;
  readonly #ended = new AbortController();
  readonly #stop: (() => void)[] = [];
  #page: Message[] = [];
  /** The number of the last message that was given; undefined as long as that does not matter. */
  #position: number | undefined;
  /** The chat's number as far as the client has heard. */
  #heard: number | undefined;
  #live: boolean;
  /** The chat is over for the user: what is in the buffer is the rest. */
  #removed = false;
  #error: ChatClientError | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps, { afterSeq, signal }: MessageFeedOptions = {}, closed: AbortSignal) {
    this.#deps = deps;
    this.#position = afterSeq;
    this.#live = afterSeq === undefined;
    this.#buffer = new LiveBuffer();
    const { chatId, emitter } = deps;
    const end = () => this.#end();
    for (const one of [closed, signal]) {
      if (one?.aborted) end();
      one?.addEventListener('abort', end, { once: true });
      this.#stop.push(() => one?.removeEventListener('abort', end));
    }
    if (this.#ended.signal.aborted) return;
    this.#stop.push(
      emitter.on('message', (message) => message.chatId === chatId && this.#hear(message)),
      emitter.on('gap', (chat) => chat.chatId === chatId && this.#miss(chat.afterSeq)),
      emitter.on('chatRemoved', (chat) => {
        if (chat.chatId !== chatId) return;
        this.#removed = true;
        this.#buffer.wake();
      }),
      emitter.on('reset', (chat) => chat.chatId === chatId && this.#end(resetError())),
      emitter.on('state', (state) => state.kind === 'closed' && this.#end(state.error)),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One after the other, also when it is called before the last has answered. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next.catch(() => {});
    return next;
  }

  async return(): Promise<IteratorResult<Message, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  async #next(): Promise<IteratorResult<Message, undefined>> {
    while (!this.#ended.signal.aborted) {
      const message = this.#page.shift() ?? (this.#live ? this.#buffer.take() : undefined);
      if (message) {
        // The history had it, too.
        if (message.seq <= (this.#position ?? 0)) continue;
        this.#position = message.seq;
        return { done: false, value: message };
      }
      if (this.#buffer.broken) this.#live = false;
      if (this.#removed) break;
      await (this.#live ? this.#buffer.change() : this.#readPage());
    }
    const error = this.#error;
    this.#error = undefined;
    this.#end();
    if (error) throw error;
    return { done: true, value: undefined };
  }

  async #readPage(): Promise<void> {
    const { chatId, call } = this.#deps;
    this.#buffer.begin();
    const backoff = new Backoff();
    for (;;) {
      try {
        const page = call('listMessages', { chatId, afterSeq: this.#position });
        const answer = await orAborted(page, this.#ended.signal);
        if (!answer) return;
        const { messages, hasMore } = answer;
        this.#page = messages;
        this.#live = !hasMore;
        return;
      } catch (cause) {
        const error = toChatClientError(cause);
        if (this.#removed || this.#ended.signal.aborted) return;
        if (!error.temporary) return this.#end(error);
        await sleep(backoff.next(error.retryAfterMs), this.#ended.signal);
      }
    }
  }

  /** For one who reads only from now on nothing lies before the first message. */
  #miss(upToSeq: number): void {
    if (this.#position !== undefined && upToSeq > this.#position) this.#buffer.breakOff();
  }

  #hear(message: Message): void {
    const { seq, updateSeq } = message;
    this.#position ??= seq - 1;
    // What was changed while the client was away comes late, out of its place; the history has it in order.
    if (this.#heard !== undefined && updateSeq > this.#heard + 1) this.#buffer.breakOff();
    this.#heard = updateSeq;
    if (seq === updateSeq) this.#buffer.push(message);
  }

  #end(error?: ChatClientError): void {
    if (this.#ended.signal.aborted) return;
    this.#error = error;
    this.#ended.abort();
    for (const stop of this.#stop.splice(0)) stop();
    this.#page = [];
    this.#buffer.breakOff();
  }
}

function resetError(): ChatClientError {
  const message = 'the service does not have the chat as far as it was read: look at its history anew';
  return new ChatClientError(message, { code: 'OUT_OF_RANGE', reason: 'CURSOR_IN_FUTURE' });
}
