import type { Message } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import type { Call } from '../calls/repeating-calls.ts';
import { ChatClientError, toChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';
import { orAborted } from '../timing/or-aborted.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import { LiveBuffer } from './live-buffer.ts';

export interface MessageFeedOptions {
  /** Messages with a greater number; 0 for all there are. Absent: those from now on. */
  afterSeq?: number;
  signal?: AbortSignal;
}

interface Deps {
  chatId: string;
  call: Call;
  emitter: Emitter<AllEvents>;
  /** The chat's number as far as the client has heard; undefined while the service tells it nothing of the chat. */
  cursor: () => number | undefined;
}

/** So often somebody who is told nothing of the chat looks at it, in milliseconds. */
const lookMs = 5_000;

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
  /** The number of the last message that was given; undefined for one who reads from now on and has been told nothing of the chat. */
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
    this.#heard = deps.cursor();
    this.#position = afterSeq ?? this.#heard;
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
      await (this.#live ? this.#wait() : this.#readPage());
    }
    const error = this.#error;
    this.#error = undefined;
    this.#end();
    if (error) throw error;
    return { done: true, value: undefined };
  }

  /** Until something is heard. Who is told nothing of the chat, not even that it is over, looks now and then. */
  async #wait(): Promise<void> {
    const { cursor } = this.#deps;
    if (cursor() !== undefined) return this.#buffer.change();
    const heard = new AbortController();
    const change = this.#buffer.change().then(() => heard.abort());
    await Promise.race([change, sleep(lookMs, AbortSignal.any([this.#ended.signal, heard.signal]))]);
    if (heard.signal.aborted || this.#ended.signal.aborted || cursor() !== undefined) return;
    if (this.#position === undefined) await this.#checkChat();
    else this.#live = false;
  }

  async #readPage(): Promise<void> {
    this.#buffer.begin();
    await this.#ask(async ({ call, chatId }) => {
      const answer = await orAborted(call('listMessages', { chatId, afterSeq: this.#position }), this.#ended.signal);
      if (!answer) return;
      this.#page = answer.messages;
      this.#live = !answer.hasMore;
    });
  }

  /** Ends if the user may not read the chat. */
  async #checkChat(): Promise<void> {
    await this.#ask(async ({ call, chatId }) => {
      await orAborted(call('getChat', { chatId }), this.#ended.signal);
    });
  }

  /** Asks until there is an answer; a refusal ends it. */
  async #ask(ask: (deps: Deps) => Promise<void>): Promise<void> {
    const backoff = new Backoff(retryPauses);
    for (;;) {
      try {
        return await ask(this.#deps);
      } catch (cause) {
        const error = toChatClientError(cause);
        if (this.#removed || this.#ended.signal.aborted) return;
        if (!error.temporary) return this.#end(error);
        await sleep(backoff.next(error.retryAfterMs), this.#ended.signal);
      }
    }
  }

  /** For one who reads only from now on nothing lies before. */
  #miss(upToSeq: number): void {
    this.#heard ??= upToSeq;
    this.#position ??= upToSeq;
    if (upToSeq > this.#position) this.#buffer.breakOff();
  }

  #hear(message: Message): void {
    const { seq, updateSeq } = message;
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
