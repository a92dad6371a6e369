import type { Accepted, Command } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import { type ChatClientError, closedError } from '../errors/chat-error.ts';
import type { Receipt } from '../messages/receipt.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import type { Stream } from '../transports/transport.ts';

type Body = NonNullable<Command['command']>;

/** A command that begins, continues or ends a streamed message. The service recognises its repetition. */
export type StreamCommand = Extract<Body, { $case: 'startMessage' | 'appendMessage' | 'finishMessage' }>;

interface Pending {
  body: StreamCommand;
  resolve: (receipt: Receipt) => void;
  reject: (error: ChatClientError) => void;
  refused: boolean;
}

/** Distinguishes the command ids from those of `Sender`. */
const prefix = 'p';

/** Sends the commands of streamed messages in the order of the calls, and again, in the same order, on each new stream until they are answered. */
export class StreamSender {
  readonly #closed: AbortSignal;
  readonly #pending = new Map<string, Pending>();
  readonly #resends = new Backoff(retryPauses);
  #lastId = 0;
  #stream: Stream | undefined;
  #resendingOn: Stream | undefined;

  constructor(closed: AbortSignal) {
    this.#closed = closed;
  }

  /** Whether the command with this id is one of these. */
  owns(commandId: string): boolean {
    return commandId.startsWith(prefix);
  }

  /** Resolves once the service has carried out the command. Throws ChatClientError: the service's permanent refusal, and the error of `fail`. */
  perform(body: StreamCommand): Promise<Receipt> {
    if (this.#closed.aborted) return Promise.reject(closedError());
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>();
    this.#lastId += 1;
    const commandId = `${prefix}${this.#lastId}`;
    this.#pending.set(commandId, { body, resolve, reject, refused: false });
    this.#stream?.send({ commandId, command: body });
    return promise;
  }

  /** Uses a new stream. The service may have carried out some of the unanswered commands. */
  begin(stream: Stream): void {
    this.#stream = stream;
    this.#send(stream, () => true);
  }

  /** The stream has ended: commands wait for the next one. */
  end(): void {
    this.#stream = undefined;
  }

  /** Rejects all unanswered commands. */
  fail(error: ChatClientError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  /** Returns the chat of the command; undefined if it was answered before. */
  accepted({ commandId, messageId, seq, createdAt = new Date() }: Accepted): string | undefined {
    this.#resends.reset();
    const pending = this.#pending.get(commandId);
    if (!pending) return undefined;
    this.#pending.delete(commandId);
    pending.resolve({ messageId, seq, createdAt });
    return pending.body.value.chatId;
  }

  refused(stream: Stream, commandId: string, error: ChatClientError): void {
    const pending = this.#pending.get(commandId);
    if (!pending) return;
    // The part before this one was refused for some time: they are sent again together.
    const mayFollow = error.reason === 'PART_MISSING' && this.#follows(pending.body);
    if (error.temporary || error.code === 'INTERNAL' || mayFollow) {
      pending.refused = true;
      return this.#resendLater(stream, error);
    }
    this.#pending.delete(commandId);
    pending.reject(error);
  }

  /** Whether an earlier part of the same message has no answer yet. */
  #follows(body: StreamCommand): boolean {
    for (const { body: earlier } of this.#pending.values()) {
      if (earlier === body) return false;
      if (isOfSameMessage(earlier, body)) return true;
    }
    return false;
  }

  #resendLater(stream: Stream, { retryAfterMs }: ChatClientError): void {
    if (this.#resendingOn === stream) return;
    this.#resendingOn = stream;
    void sleep(this.#resends.next(retryAfterMs), this.#closed).then(() => {
      if (this.#resendingOn !== stream) return;
      this.#resendingOn = undefined;
      if (this.#stream === stream) this.#send(stream, ({ refused }) => refused);
    });
  }

  #send(stream: Stream, condition: (pending: Pending) => boolean): void {
    for (const [commandId, pending] of this.#pending) {
      if (!condition(pending)) continue;
      pending.refused = false;
      stream.send({ commandId, command: pending.body });
    }
  }
}

function isOfSameMessage(one: StreamCommand, other: StreamCommand): boolean {
  return 'messageId' in one.value && 'messageId' in other.value && one.value.messageId === other.value.messageId;
}
