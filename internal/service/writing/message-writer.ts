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

/** The longest wait before a batch or a busy chat is tried again, in milliseconds. Each wait is random, from half of it on. */
const retryMs = 250;
/** The longest wait after the first attempt that found a chat busy, in milliseconds. It doubles with each attempt, up to `retryMs`. */
const firstBusyMs = 20;
/** How long one statement waits for the lock of a busy chat, in milliseconds. */
const lockWaitMs = 250;

/**
 * Commits messages in batches. While batches are being committed, new messages collect for the next; an idle writer commits at the end of the turn.
 *
 * Messages of one chat are committed in the order of the calls of `append`. After the commit they are published on the bus, in order.
 *
 * A chat that another transaction has locked is busy: the other chats of its batch are committed, and its messages go back to the front of the queue. One
 * busy chat at a time waits for its lock, in a statement of its own. The others are tried again after a pause.
 */
export class MessageWriter {
  readonly #messages: Pick<MessageRepository, 'appendBatch'>;
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #options: MessageWriterOptions;
  readonly #queue = new WriteQueue();
  readonly #flights = new Map<Promise<void>, readonly WriteEntry[]>();
  /** Flights that do not wait for a busy chat. */
  #committing = 0;
  /** Whether a flight waits for a busy chat. */
  #waitingForChat = false;
  readonly #pauses = new Set<Promise<void>>();
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
    const entry: WriteEntry = {
      message,
      resolve,
      reject,
      giveUpAt,
      pauses: 0,
      maybeStored: false,
      span: activeSpans()[0],
    };
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
    while (this.#flights.size + this.#pauses.size > 0) await Promise.all([...this.#flights.keys(), ...this.#pauses]);
  }

  /** Dispatches at the end of the turn, so that the messages of one frame are in one batch. */
  #dispatchSoon(): void {
    if (this.#scheduled || this.#committing >= this.#options.maxInFlight) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#committing < this.#options.maxInFlight) {
      const batch = this.#queue.take(this.#options.maxBatch);
      if (batch.length === 0) return;
      this.#committing += 1;
      this.#fly(batch, 0, () => (this.#committing -= 1));
    }
  }

  /** Writes a taken batch. Then opens its chats again, except the busy ones, which it retries. */
  #fly(batch: readonly WriteEntry[], lockWaitMs: number, landed: () => void): void {
    const busy = new Map<string, WriteEntry[]>();
    const flight = writeBatch(batch, this.#writing(busy, lockWaitMs)).finally(() => {
      landed();
      this.#flights.delete(flight);
      for (const { message } of batch) {
        if (!busy.has(message.chatId)) this.#queue.open(message.chatId);
      }
      for (const [chatId, entries] of busy) this.#retryBusy(chatId, entries, lockWaitMs === 0);
      this.#dispatch();
    });
    this.#flights.set(flight, batch);
  }

  /** The messages of chats that are found busy go into `busy`, in order. */
  #writing(busy: Map<string, WriteEntry[]>, lockWaitMs: number): BatchWriting<WriteEntry, Appended> {
    return {
      // Part of a batch may be written alone. A message of a chat must not overtake one that was busy before.
      write: (batch) => this.#append(batch, lockWaitMs, (chatId) => busy.has(chatId)),
      settle: (batch, outcomes) => {
        this.#settle(batch, outcomes, busy);
        return [];
      },
      recover: (batch, error) => this.#recover(batch, error),
      refuse: ({ message, reject }, error) => {
        this.#log.error({ err: error, chatId: message.chatId }, 'the database refused a message');
        reject(error);
      },
    };
  }

  /** Queues the messages of a busy chat again. Then waits for its lock, if `mayWait` and no other chat is waited for, or opens the chat after a pause. */
  #retryBusy(chatId: string, entries: readonly WriteEntry[], mayWait: boolean): void {
    this.#queue.putBack(chatId, entries);
    if (mayWait && !this.#waitingForChat) {
      this.#waitingForChat = true;
      const batch = this.#queue.takeFrom(chatId, this.#options.maxBatch);
      return this.#fly(batch, lockWaitMs, () => (this.#waitingForChat = false));
    }
    const first = entries[0]!;
    const pauseMs = Math.min(retryMs, firstBusyMs * 2 ** first.pauses);
    first.pauses += 1;
    const pause = sleep(equalJitter(pauseMs)).then(() => {
      this.#pauses.delete(pause);
      this.#queue.open(chatId);
      this.#dispatch();
    });
    this.#pauses.add(pause);
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

  async #append(
    batch: readonly WriteEntry[],
    lockWaitMs: number,
    isBusy: (chatId: string) => boolean,
  ): Promise<Appended[]> {
    const tried = batch.filter(({ message }) => !isBusy(message.chatId));
    const drafts = tried.map(({ message }) => message);
    const spans = tried.flatMap(({ span }) => span ?? []);
    const { roles } = operations.SendMessage.chat;
    if (tried.length === 0) return batch.map(toBusy);
    const answers = await withActiveSpans(spans, () => this.#messages.appendBatch(drafts, roles, lockWaitMs));
    const outcomes = new Map(tried.map((entry, i) => [entry, answers[i]!]));
    return batch.map((entry) => outcomes.get(entry) ?? toBusy(entry));
  }

  /**
   * While the database cannot write, the same batch is tried again: it may have been committed, but a repetition is recognised. Its chats stay closed to
   * other batches, which keeps their order. Refuses the messages that have waited for `giveUpAfterMs`.
   */
  async #recover(batch: readonly WriteEntry[], error: unknown): Promise<readonly WriteEntry[] | 'refused'> {
    if (!isStorageUnavailable(error)) return 'refused';
    const isFirst = batch.some(({ maybeStored }) => !maybeStored);
    if (isFirst) this.#log.warn({ err: error, messages: batch.length }, 'messages cannot be written: trying again');
    for (const entry of batch) entry.maybeStored = true;
    await sleep(equalJitter(retryMs));
    const now = performance.now();
    for (const { giveUpAt, reject } of batch) if (giveUpAt <= now) reject(error);
    return batch.filter(({ giveUpAt }) => giveUpAt > now);
  }

  #settle(batch: readonly WriteEntry[], outcomes: readonly Appended[], busy: Map<string, WriteEntry[]>): void {
    const written = new WrittenMessages();
    for (const [i, entry] of batch.entries()) {
      const { message } = entry;
      const { outcome, chatType, messageId, seq, createdAt } = outcomes[i]!;
      if (outcome === 'busy') {
        const ofChat = busy.get(message.chatId);
        if (ofChat) ofChat.push(entry);
        else busy.set(message.chatId, [entry]);
        continue;
      }
      if (outcome === 'stored') {
        written.addStored(message, outcomes[i]!);
      } else if (outcome === 'repeated') {
        if (entry.maybeStored) written.addRepeated(message, outcomes[i]!);
      } else if (outcome !== 'accepted') {
        entry.reject(toError(outcome, chatType));
        continue;
      }
      entry.resolve({ messageId, seq, createdAt });
    }
    written.publish(this.#bus);
  }
}

function toBusy({ message }: WriteEntry): Appended {
  return { outcome: 'busy', messageId: message.id, seq: 0, createdAt: new Date(0) };
}

function toError(
  outcome: Exclude<Appended['outcome'], 'stored' | 'repeated' | 'accepted' | 'busy'>,
  chatType?: ChatType,
) {
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
