import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import type { Bus } from '../../client/bus/bus.ts';
import { activeSpans, withActiveSpans } from '../../client/tracing/active-spans.ts';
import type { ChatType } from '../../model/chat.ts';
import { ChatError } from '../../model/errors.ts';
import type { Draft, Receipt } from '../../model/message.ts';
import { operations } from '../../model/operations.ts';
import type { Appended, MessageRepository, NewMessage } from '../../repository/message-repository.ts';
import { refusalOf } from '../authorization.ts';
import { isStorageUnavailable } from './is-storage-unavailable.ts';
import { newMessageId } from './message-id.ts';
import { type BatchWriting, writeBatch } from './write-batch.ts';
import { type WriteEntry, WriteQueue } from './write-queue.ts';
import { WrittenMessages } from './written-messages.ts';

export interface MessageWriterOptions {
  /** The most messages in one statement. */
  maxBatch: number;
  /** The most batches that are committed at the same time. Two of them never contain the same chat. */
  maxInFlight: number;
  /** The most waiting messages. Further ones are refused with WRITER_BUSY. */
  maxQueued: number;
  /** How long a message may wait for the database before it is refused, in milliseconds. */
  giveUpAfterMs: number;
}

interface Deps {
  /** The append target: the database, or the ingest log in front of it. */
  messages: Pick<MessageRepository, 'appendBatch'>;
  bus: Bus;
  log: Logger;
}

/** The longest wait before a batch is tried again, in milliseconds. Each wait is random, from half of it on. */
const retryMs = 250;

/**
 * Commits messages in batches. While batches are being committed, new messages collect for the next; an idle writer commits at the end of the turn.
 *
 * Messages of one chat are committed in the order of the calls of `append`. After the commit they are published on the bus, in order.
 */
export class MessageWriter {
  readonly #messages: Pick<MessageRepository, 'appendBatch'>;
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #options: MessageWriterOptions;
  readonly #queue = new WriteQueue();
  readonly #writing: BatchWriting<WriteEntry, Appended> = {
    write: (batch) => this.#append(batch),
    settle: (batch, outcomes, repeated) => this.#settle(batch, outcomes, repeated),
    recover: (batch, error) => this.#recover(batch, error),
    refuse: ({ message, reject }, error) => {
      this.#log.error({ err: error, chatId: message.chatId }, 'the database refused a message');
      reject(error);
    },
  };
  readonly #flights = new Map<Promise<void>, readonly WriteEntry[]>();
  #expiry: NodeJS.Timeout | undefined;
  #scheduled = false;

  constructor({ messages, bus, log }: Deps, options: MessageWriterOptions) {
    this.#messages = messages;
    this.#bus = bus;
    this.#log = log;
    this.#options = options;
  }

  /**
   * Stores a message. Resolves once it is committed or accepted, now or by an earlier call. Throws ALREADY_EXISTS (MESSAGE_ID_REUSED), NOT_FOUND
   * (CHAT_NOT_FOUND), PERMISSION_DENIED (NOT_A_MEMBER, ROLE_TOO_LOW), UNAVAILABLE (WRITER_BUSY: not stored; STORAGE_UNAVAILABLE: may be stored), or
   * CANCELLED (CLIENT_GONE) when the signal aborts while the message waits.
   */
  append(draft: Draft, signal?: AbortSignal): Promise<Receipt> {
    if (signal?.aborted) return Promise.reject(clientGone());
    if (this.#queue.size >= this.#options.maxQueued) {
      const error = new ChatError('WRITER_BUSY', 'too many messages are waiting to be stored', { retryAfterMs: 500 });
      return Promise.reject(error);
    }
    const message: NewMessage = { ...draft, id: newMessageId(), contentHash: hashContent(draft) };
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>();
    const giveUpAt = performance.now() + this.#options.giveUpAfterMs;
    const entry: WriteEntry = { message, resolve, reject, giveUpAt, span: activeSpans()[0] };
    this.#queue.add(entry);
    this.#dispatchSoon();
    this.#expireLater();
    if (!signal) return promise;
    const withdraw = () => {
      if (this.#queue.withdraw(entry)) reject(clientGone());
    };
    signal.addEventListener('abort', withdraw, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', withdraw));
  }

  /** Resolves when all messages have been written or refused. Do not call `append` any more. */
  async drain(): Promise<void> {
    this.#dispatch();
    while (this.#flights.size > 0) await Promise.all(this.#flights.keys());
  }

  /** Dispatches at the end of the turn, so that the messages of one frame are in one batch. */
  #dispatchSoon(): void {
    if (this.#scheduled || this.#flights.size >= this.#options.maxInFlight) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#flights.size < this.#options.maxInFlight) {
      const batch = this.#queue.take(this.#options.maxBatch);
      if (batch.length === 0) return;
      const flight = writeBatch(batch, this.#writing).finally(() => {
        this.#flights.delete(flight);
        this.#queue.release(batch);
        this.#dispatch();
      });
      this.#flights.set(flight, batch);
    }
  }

  /** Refuses messages that have waited for `giveUpAfterMs`, even if the database does not answer at all. One that is being written may still be stored. */
  #expireLater(): void {
    this.#expiry ??= setTimeout(() => {
      this.#expiry = undefined;
      const now = performance.now();
      const underWay = [...this.#flights.values()].flat().filter(({ giveUpAt }) => giveUpAt <= now);
      for (const { reject } of [...this.#queue.takeExpired(now), ...underWay]) {
        reject(new ChatError('STORAGE_UNAVAILABLE', 'the database does not answer', { retryAfterMs: 1_000 }));
      }
      if (this.#queue.size > 0 || this.#flights.size > 0) this.#expireLater();
    }, 100).unref();
  }

  #append(batch: readonly WriteEntry[]): Promise<Appended[]> {
    const drafts = batch.map(({ message }) => message);
    const spans = batch.flatMap(({ span }) => span ?? []);
    return withActiveSpans(spans, () => this.#messages.appendBatch(drafts, operations.SendMessage.chat.roles));
  }

  /**
   * While the database is unreachable, the same batch is tried again: it may have been committed, but a repetition is recognised. Its chats stay closed to
   * other batches, which keeps their order. Refuses the messages that have waited for `giveUpAfterMs`.
   */
  async #recover(batch: readonly WriteEntry[], error: unknown): Promise<readonly WriteEntry[] | 'refused'> {
    if (!isStorageUnavailable(error)) return 'refused';
    this.#log.warn({ err: error, messages: batch.length }, 'the database is unreachable: trying the batch again');
    await sleep(equalJitter(retryMs));
    const now = performance.now();
    for (const { giveUpAt, reject } of batch) if (giveUpAt <= now) reject(error);
    return batch.filter(({ giveUpAt }) => giveUpAt > now);
  }

  #settle(batch: readonly WriteEntry[], outcomes: readonly Appended[], repeated: boolean): void {
    const written = new WrittenMessages();
    for (const [i, entry] of batch.entries()) {
      const { outcome, chatType, messageId, seq, createdAt } = outcomes[i]!;
      if (outcome === 'stored') {
        written.addStored(entry.message, outcomes[i]!);
      } else if (outcome === 'repeated') {
        if (repeated) written.addRepeated(entry.message, outcomes[i]!);
      } else if (outcome !== 'accepted') {
        entry.reject(toError(outcome, chatType));
        continue;
      }
      entry.resolve({ messageId, seq, createdAt });
    }
    written.publish(this.#bus);
  }
}

function toError(outcome: Exclude<Appended['outcome'], 'stored' | 'repeated' | 'accepted'>, chatType?: ChatType) {
  if (outcome === 'full') {
    return new ChatError('WRITER_BUSY', 'too many messages are waiting to be written', { retryAfterMs: 5_000 });
  }
  if (outcome === 'unavailable') {
    return new ChatError('STORAGE_UNAVAILABLE', 'the message could not be stored at the moment', {
      retryAfterMs: 1_000,
    });
  }
  return refusalOf(outcome, chatType);
}

function clientGone(): ChatError {
  return new ChatError('CLIENT_GONE', 'the call was cancelled');
}

/** 128 bits of SHA-256 over the fields that must be equal in a repetition. */
function hashContent({ text }: Draft): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, 16);
}
