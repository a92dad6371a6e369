import type { Message, MessagePart } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import type { Call } from '../calls/repeating-calls.ts';
import { ChatClientError, toChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';
import { orAborted } from '../timing/or-aborted.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import { LiveBuffer } from './live-buffer.ts';
import { extend, update } from './newest-states.ts';

export interface MessageFeedOptions {
  /** Returns messages with a greater `seq`; 0 returns all messages. By default, only messages from now on. */
  afterSeq?: number;
  /**
   * The epoch of `afterSeq`, as `MessageFeed.epoch` said it. If the service's database has gone back since and may have lost the message, the iteration throws
   * OUT_OF_RANGE (CURSOR_IN_FUTURE): read the chat anew. Without it the present epoch is assumed.
   */
  epoch?: string;
  /** Ends the feed. */
  signal?: AbortSignal;
}

interface Deps {
  chatId: string;
  call: Call;
  emitter: Emitter<AllEvents>;
  /** The last sequence number that the client received of the chat; undefined while it is not subscribed to the chat. */
  cursor: () => number | undefined;
}

/** While the client is not subscribed to the chat, the feed polls the service at this interval, in milliseconds. */
const lookMs = 5_000;

/** If more messages than this are changed while a page is being read, the feed reads the page again. */
const maxChanges = 1_000;

/**
 * A chat's messages in the order of their `seq`, each once, in the newest state that the client knows at that moment. A later change of a
 * message that the feed has returned comes by the event `messageChanged`. `ChatHandle.messages` creates the feed; iterate over it with `for await`.
 *
 * The feed either takes live messages from a buffer or reads pages of the history. It starts the buffer before it reads a page, and becomes
 * live after the last page, so no message is lost between the two. If the buffer breaks, the feed returns to the history.
 */
export class MessageFeed implements AsyncIterableIterator<Message> {
  readonly #deps: Deps;
  readonly #buffer: LiveBuffer;
  readonly #ended = new AbortController();
  readonly #stop: (() => void)[] = [];
  #page: Message[] = [];
  /** What was changed since the page was asked for, which may hold older states. Undefined if no page is being read, or after too many changes. */
  #changes: (Message | MessagePart)[] | undefined;
  /** The `seq` of the last message that the feed returned; undefined if it reads live messages only and its start is not known yet. */
  #position: number | undefined;
  /** The epoch of the position; undefined if it is not known. */
  #epoch: string | undefined;
  /** The last sequence number that the client received of the chat. */
  #heard: number | undefined;
  #live: boolean;
  /** The user's membership has ended: the feed ends after the buffered messages. */
  #removed = false;
  #error: ChatClientError | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps, { afterSeq, epoch, signal }: MessageFeedOptions = {}, closed: AbortSignal) {
    this.#deps = deps;
    this.#heard = deps.cursor();
    this.#position = afterSeq ?? this.#heard;
    this.#epoch = epoch || undefined;
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
      emitter.on('messageChanged', (message) => message.chatId === chatId && this.#hearChange(message)),
      emitter.on('messagePart', (part) => part.chatId === chatId && this.#hearPart(part)),
      emitter.on('covered', (covered) => covered.chatId === chatId && this.#moveTo(covered.fromSeq, covered.toSeq)),
      emitter.on('reaction', ({ chatId: id, seq }) => id === chatId && this.#moveTo(seq, seq)),
      emitter.on('gap', (chat) => chat.chatId === chatId && this.#miss(chat.afterSeq, chat.epoch)),
      emitter.on('chatRemoved', (chat) => {
        if (chat.chatId !== chatId) return;
        this.#removed = true;
        this.#buffer.wake();
      }),
      emitter.on('epoch', (chat) => chat.chatId === chatId && this.#enterEpoch(chat.fromSeq, chat.epoch)),
      emitter.on('state', (state) => state.kind === 'closed' && this.#end(state.error)),
    );
  }

  /** The epoch of the numbers that the feed has returned, which is to be stored together with the last one; undefined if it is not known. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Returns the next message. Calls that overlap are served in their order. Throws ChatClientError once if the service refuses, then ends. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next.catch(() => {});
    return next;
  }

  /** Ends the feed; a `break` in a `for await` loop calls it. */
  async return(): Promise<IteratorResult<Message, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  async #next(): Promise<IteratorResult<Message, undefined>> {
    while (!this.#ended.signal.aborted) {
      const message = this.#page.shift() ?? (this.#live ? this.#buffer.take() : undefined);
      if (message) {
        // The feed has already returned this message from the history.
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

  /** Waits for a live message. While the client is not subscribed to the chat, which happens with too many chats, it polls the service. */
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
    this.#changes = [];
    await this.#ask(async ({ call, chatId }) => {
      const answer = await orAborted(call('listMessages', { chatId, afterSeq: this.#position }), this.#ended.signal);
      if (!answer || !(await this.#isInEpoch(answer.epoch)) || !this.#changes) return;
      const { messages, hasMore } = answer;
      for (const change of this.#changes) {
        if ('offset' in change) extend(messages, change);
        else update(messages, change);
      }
      this.#page = messages;
      this.#live = !hasMore;
    });
    this.#changes = undefined;
  }

  /**
   * Whether a page with numbers of this epoch follows on the position. If the database has gone back since the position, asks whether the position is
   * still valid, and ends the feed if it is not.
   */
  async #isInEpoch(epoch: string): Promise<boolean> {
    const { call, chatId } = this.#deps;
    if (this.#epoch === undefined || !this.#position) this.#epoch = epoch || undefined;
    if (epoch === '' || this.#epoch === epoch) return true;
    const request = { chatId, afterSeq: this.#position, epoch: this.#epoch, pageSize: 1 };
    const answer = await orAborted(call('listChanges', request), this.#ended.signal);
    if (answer?.resetFromSeq !== undefined) this.#end(resetError());
    this.#epoch = answer?.epoch;
    return this.#epoch === epoch && !this.#ended.signal.aborted;
  }

  /** Ends the feed if the user may no longer see the chat. */
  async #checkChat(): Promise<void> {
    await this.#ask(async ({ call, chatId }) => {
      await orAborted(call('getChat', { chatId }), this.#ended.signal);
    });
  }

  /** Calls `ask` until it succeeds; a permanent error ends the feed. */
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

  /** Reads anew what comes after the number that is still valid. Ends if the feed has returned more. */
  #enterEpoch(validSeq: number, epoch: string): void {
    if (this.#position === undefined) return;
    if (this.#position > validSeq) return this.#end(resetError());
    this.#epoch = epoch || undefined;
    this.#page = this.#page.filter(({ seq, updateSeq }) => Math.max(seq, updateSeq) <= validSeq);
    this.#changes = undefined;
    this.#heard = undefined;
    this.#buffer.breakOff();
  }

  /** Handles that messages up to this number may be missing. A feed of live messages starts after it instead. */
  #miss(upToSeq: number, epoch: string): void {
    this.#heard ??= upToSeq;
    this.#position ??= upToSeq;
    this.#epoch ??= epoch;
    // The page that is read then finds out whether the position is still valid.
    if (upToSeq > this.#position || epoch !== this.#epoch) this.#buffer.breakOff();
  }

  #hear(message: Message): void {
    this.#moveTo(message.seq, message.seq);
    this.#buffer.push(message);
  }

  #hearChange(message: Message): void {
    this.#moveTo(message.updateSeq, message.updateSeq);
    if (message.seq <= (this.#position ?? 0)) return;
    update(this.#page, message);
    this.#buffer.update(message);
    this.#noteChange(message);
  }

  #hearPart(part: MessagePart): void {
    this.#moveTo(part.seq, part.seq);
    extend(this.#page, part);
    this.#buffer.extend(part);
    this.#noteChange(part);
  }

  #noteChange(change: Message | MessagePart): void {
    this.#changes?.push(change);
    if (this.#changes && this.#changes.length > maxChanges) this.#changes = undefined;
  }

  /** Handles that the client has received these numbers. If numbers before them were not received, messages may be missing. */
  #moveTo(fromSeq: number, toSeq: number): void {
    if (this.#heard !== undefined && fromSeq > this.#heard + 1) this.#buffer.breakOff();
    this.#heard = toSeq;
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
