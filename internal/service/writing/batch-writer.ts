import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import { type Histogram, type Metrics, secondsBuckets } from '../../client/metrics/metrics.ts';
import { activeSpans, idsOf, withActiveSpans } from '../../client/tracing/active-spans.ts';
import { traced } from '../../client/tracing/trace-calls.ts';
import { ChatError } from '../../model/errors.ts';
import { isStorageUnavailable } from './is-storage-unavailable.ts';
import { type BatchWriting, writeBatch } from './write-batch.ts';
import { type WriteEntry, WriteQueue } from './write-queue.ts';

export interface WriterOptions {
  /** The most writes in one statement. */
  maxBatch: number;
  /** The most batches that are committed at the same time. Two of them never contain the same chat. */
  maxInFlight: number;
  /** The most waiting writes. Further ones are refused with WRITER_BUSY. */
  maxQueued: number;
  /** How long a write may wait for the database before it is refused, in milliseconds. */
  giveUpAfterMs: number;
}

/** One kind of writes to chats. */
export interface Writes<Item extends { chatId: string }, Outcome extends { outcome: string }, Receipt> {
  /** What one item is, for the log and for errors. */
  what: string;
  /** Returns keys of which two items of one batch must have none in common. */
  keysOf(item: Item): readonly string[];
  /**
   * Commits the items in one statement; returns an outcome for each, in the same order, which is `busy` if another transaction has locked the item's
   * chat. Waits for the lock of the first item's chat up to `lockWaitMs`.
   */
  append(items: readonly Item[], lockWaitMs: number): Promise<readonly Outcome[]>;
  /** Answers entries that were written or refused, by `resolve` or `reject`, and publishes them. No outcome is `busy`. */
  settle(settled: readonly Settled<Item, Outcome, Receipt>[]): void;
}

export interface Settled<Item, Outcome, Receipt> {
  entry: WriteEntry<Item, Receipt>;
  outcome: Outcome;
}

/** The longest wait before a batch or a busy chat is tried again, in milliseconds. Each wait is random, from half of it on. */
const retryMs = 250;
/** The longest wait after the first attempt that found a chat busy, in milliseconds. It doubles with each attempt, up to `retryMs`. */
const firstBusyMs = 20;
/** How long one statement waits for the lock of a busy chat, in milliseconds. */
const lockWaitMs = 250;

/**
 * Commits writes to chats in batches. While batches are being committed, new writes collect for the next; an idle writer commits at the end of the turn.
 *
 * Writes to one chat are committed in the order of the calls of `append`.
 *
 * A chat that another transaction has locked is busy: the other chats of its batch are committed, and its writes go back to the front of the queue. One
 * busy chat at a time waits for its lock, in a statement of its own. The others are tried again after a pause.
 */
export class BatchWriter<Item extends { chatId: string }, Outcome extends { outcome: string }, Receipt> {
  readonly #writes: Writes<Item, Outcome, Receipt>;
  readonly #log: Logger;
  readonly #batchSizes: Histogram<'what'>;
  readonly #commitSeconds: Histogram<'what'>;
  readonly #acknowledgementSeconds: Histogram<'what'>;
  readonly #options: WriterOptions;
  readonly #queue: WriteQueue<Item, Receipt>;
  readonly #flights = new Map<Promise<void>, readonly WriteEntry<Item, Receipt>[]>();
  /** Flights that do not wait for a busy chat. */
  #committing = 0;
  /** Whether a flight waits for a busy chat. */
  #waitingForChat = false;
  readonly #pauses = new Set<Promise<void>>();
  #expiry: NodeJS.Timeout | undefined;
  #scheduled = false;

  constructor(writes: Writes<Item, Outcome, Receipt>, log: Logger, options: WriterOptions, metrics: Metrics) {
    this.#writes = writes;
    this.#batchSizes = metrics.histogram({
      name: 'chat_batch_size',
      help: 'Messages, changes or writes of streamed messages that one statement has committed.',
      labels: ['what'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
    });
    this.#commitSeconds = metrics.histogram({
      name: 'chat_commit_seconds',
      help: 'How long the statement of a batch took, commit included, in seconds.',
      labels: ['what'],
      buckets: secondsBuckets,
    });
    this.#acknowledgementSeconds = metrics.histogram({
      name: 'chat_acknowledgement_seconds',
      help: 'How long a message or change took from its arrival until it was written or refused by the database, in seconds.',
      labels: ['what'],
      buckets: secondsBuckets,
    });
    this.#log = log;
    this.#options = options;
    this.#queue = new WriteQueue(writes.keysOf);
  }

  /**
   * Resolves or throws as `Writes.settle` answers. Throws UNAVAILABLE (WRITER_BUSY: not stored; STORAGE_UNAVAILABLE: may be stored), INVALID_ARGUMENT
   * (INVALID_FIELDS), or CANCELLED (CLIENT_GONE) when the signal aborts while the item waits.
   */
  append(item: Item, signal?: AbortSignal): Promise<Receipt> {
    if (signal?.aborted) return Promise.reject(clientGone());
    if (this.#queue.size >= this.#options.maxQueued) {
      const message = `too many ${this.#writes.what}s are waiting to be stored`;
      return Promise.reject(new ChatError('WRITER_BUSY', message, { retryAfterMs: 500 }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>();
    const giveUpAt = performance.now() + this.#options.giveUpAfterMs;
    const entry = { item, resolve, reject, giveUpAt, pauses: 0, maybeStored: false, span: activeSpans()[0] };
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

  /** Resolves when everything has been written or refused. Do not call `append` any more. */
  async drain(): Promise<void> {
    this.#dispatch();
    while (this.#flights.size + this.#pauses.size > 0) await Promise.all([...this.#flights.keys(), ...this.#pauses]);
  }

  /** Dispatches at the end of the turn, so that the writes of one frame are in one batch. */
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
  #fly(batch: readonly WriteEntry<Item, Receipt>[], lockWaitMs: number, landed: () => void): void {
    const busy = new Map<string, WriteEntry<Item, Receipt>[]>();
    const flight = writeBatch(batch, this.#writing(busy, lockWaitMs)).finally(() => {
      landed();
      this.#flights.delete(flight);
      for (const { item } of batch) {
        if (!busy.has(item.chatId)) this.#queue.open(item.chatId);
      }
      for (const [chatId, entries] of busy) this.#retryBusy(chatId, entries, lockWaitMs === 0);
      this.#dispatch();
    });
    this.#flights.set(flight, batch);
  }

  /** The entries of chats that are found busy go into `busy`, in order. */
  #writing(
    busy: Map<string, WriteEntry<Item, Receipt>[]>,
    lockWaitMs: number,
  ): BatchWriting<WriteEntry<Item, Receipt>, Outcome | undefined> {
    return {
      // Part of a batch may be written alone. A write to a chat must not overtake one that was busy before.
      write: (batch) => this.#append(batch, lockWaitMs, (chatId) => busy.has(chatId)),
      settle: (batch, outcomes) => {
        this.#settle(batch, outcomes, busy);
        return [];
      },
      recover: (batch, error) => this.#recover(batch, error),
      refuse: ({ item, reject, span }, error) => {
        const { what } = this.#writes;
        // A rule that the database keeps; everything else should not have come so far.
        const isRule = error instanceof ChatError && error.code === 'FAILED_PRECONDITION';
        if (!isRule)
          this.#log.error({ err: error, chatId: item.chatId, ...idsOf(span) }, `the database refused a ${what}`);
        reject(error);
      },
    };
  }

  /** Queues the entries of a busy chat again. Then waits for its lock, if `mayWait` and no other chat is waited for, or opens the chat after a pause. */
  #retryBusy(chatId: string, entries: readonly WriteEntry<Item, Receipt>[], mayWait: boolean): void {
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

  /** Refuses what has waited for `giveUpAfterMs`, even if the database does not answer at all. What is being written may still be stored. */
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

  /** Returns no outcome for entries of chats that are busy already: it does not try them. */
  async #append(
    batch: readonly WriteEntry<Item, Receipt>[],
    lockWaitMs: number,
    isBusy: (chatId: string) => boolean,
  ): Promise<(Outcome | undefined)[]> {
    const tried = batch.filter(({ item }) => !isBusy(item.chatId));
    if (tried.length === 0) return batch.map(() => undefined);
    const items = tried.map(({ item }) => item);
    const spans = tried.flatMap(({ span }) => span ?? []);
    const { traceId } = idsOf(spans[0]);
    const begun = performance.now();
    const answers = await withActiveSpans(spans, () => this.#commit(items, lockWaitMs));
    const labels = { what: this.#writes.what };
    this.#commitSeconds.observe((performance.now() - begun) / 1_000, labels, traceId);
    this.#batchSizes.observe(items.length, labels, traceId);
    const outcomes = new Map(tried.map((entry, i) => [entry, answers[i]!]));
    return batch.map((entry) => outcomes.get(entry));
  }

  /** Commits the items, in a span if one of them is traced. */
  #commit(items: readonly Item[], lockWaitMs: number): Promise<readonly Outcome[]> {
    const { what } = this.#writes;
    return traced(`commit ${what}s`, () => this.#writes.append(items, lockWaitMs), { 'chat.batch.size': items.length });
  }

  /**
   * While the database cannot write, the same batch is tried again: it may have been committed, but a repetition is recognised. Its chats stay closed to
   * other batches, which keeps their order. Refuses the entries that have waited for `giveUpAfterMs`.
   */
  async #recover(
    batch: readonly WriteEntry<Item, Receipt>[],
    error: unknown,
  ): Promise<readonly WriteEntry<Item, Receipt>[] | 'refused'> {
    if (!isStorageUnavailable(error)) return 'refused';
    const { what } = this.#writes;
    const isFirst = batch.some(({ maybeStored }) => !maybeStored);
    if (isFirst) this.#log.warn({ err: error, [`${what}s`]: batch.length }, `${what}s cannot be written: trying again`);
    for (const entry of batch) entry.maybeStored = true;
    await sleep(equalJitter(retryMs));
    const now = performance.now();
    for (const { giveUpAt, reject } of batch) if (giveUpAt <= now) reject(error);
    return batch.filter(({ giveUpAt }) => giveUpAt > now);
  }

  #settle(
    batch: readonly WriteEntry<Item, Receipt>[],
    outcomes: readonly (Outcome | undefined)[],
    busy: Map<string, WriteEntry<Item, Receipt>[]>,
  ): void {
    const settled: Settled<Item, Outcome, Receipt>[] = [];
    const arrivedBefore = performance.now() + this.#options.giveUpAfterMs;
    const labels = { what: this.#writes.what };
    for (const [i, entry] of batch.entries()) {
      const outcome = outcomes[i];
      if (outcome !== undefined && outcome.outcome !== 'busy') {
        settled.push({ entry, outcome });
        this.#acknowledgementSeconds.observe((arrivedBefore - entry.giveUpAt) / 1_000, labels);
        continue;
      }
      const ofChat = busy.get(entry.item.chatId);
      if (ofChat) ofChat.push(entry);
      else busy.set(entry.item.chatId, [entry]);
    }
    this.#writes.settle(settled);
  }
}

function clientGone(): ChatError {
  return new ChatError('CLIENT_GONE', 'the call was cancelled');
}
