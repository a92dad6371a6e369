import type { Logger } from 'pino';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import type { Bus } from '../../client/bus/bus.ts';
import type { IngestLog, LogEntry, PartitionReader } from '../../client/ingest/ingest-log.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import { type IngestRepository, PartitionLost } from '../../repository/ingest-repository.ts';
import type { Appended } from '../../repository/message-repository.ts';
import { isStorageUnavailable } from '../writing/is-storage-unavailable.ts';
import { type BatchWriting, writeBatch } from '../writing/write-batch.ts';
import type { WrittenCounters } from '../writing/written-entries.ts';
import { type ReadableEntry, toBatches } from './batches.ts';
import { identifyLog } from './identify-log.ts';
import type { IngestCounters } from './ingest-counters.ts';
import { isPositionValid } from './is-position-valid.ts';
import { PartitionProgress } from './partition-progress.ts';
import { publishWritten } from './publish-written.ts';
import type { Semaphore } from './semaphore.ts';
import { traceBatch } from './trace-batch.ts';

export interface PartitionWriterDeps {
  ingestLog: IngestLog;
  repository: IngestRepository;
  bus: Bus;
  /** Limits the commits of all partitions together. */
  commits: Semaphore;
  counters: WrittenCounters;
  ingestCounters: IngestCounters;
  /** Absent: nothing is traced. */
  tracing?: Pick<Tracing, 'tracer' | 'isSampled'> | undefined;
  log: Logger;
}

export interface PartitionWriterOptions {
  /** Messages in one statement. */
  maxBatch: number;
  /** How long an entry stays in the log after it has been written, in milliseconds. */
  keepMs: number;
}

/** The longest wait after a failure, in milliseconds; the shortest is half of it. */
const retryMs = 300;
/** How long a second attempt waits for the lock of a busy chat, in milliseconds. Short, as it holds one of the commits that all partitions share. */
const lockWaitMs = 20;

/**
 * Moves the messages of one partition from the log to the database, in order and each once, and publishes them. It continues through failures of the log
 * and of the database until it is stopped or finds that another writer has the partition.
 *
 * When another transaction has locked a chat, the other chats of the batch are written, and the partition waits for the chat: its position is one number.
 */
export class PartitionWriter {
  readonly #deps: PartitionWriterDeps;
  readonly #options: PartitionWriterOptions;
  readonly #partition: number;
  readonly #stopping = new AbortController();
  readonly #writing: BatchWriting<ReadableEntry, Appended> = {
    write: (batch) => this.#write(batch),
    settle: (batch, outcomes, repeated) => this.#settle(batch, outcomes, repeated),
    recover: (batch, error) => this.#recover(batch, error),
    refuse: (entry, error) => this.#refuse(entry, reasonOf(error)),
  };
  readonly #progress: PartitionProgress;
  readonly #done: Promise<void>;
  /** The log has been checked, and no failure has been seen since. */
  #following = false;
  #reader: PartitionReader | undefined;
  #ended = false;
  #failed = false;
  #written = 0;
  #lockWaitMs = 0;

  /** Starts to write at once, after `position`. */
  constructor(
    deps: PartitionWriterDeps,
    options: PartitionWriterOptions,
    at: { writerId: string; partition: number; position: number },
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#partition = at.partition;
    this.#progress = new PartitionProgress(deps.repository, { ...at, keepMs: options.keepMs });
    this.#done = this.#run();
  }

  /** It has lost the partition or was stopped, and no batch is under way. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Entries in the log that have not been read, by the log's last report. */
  get waiting(): number {
    return this.#reader?.waiting ?? 0;
  }

  /** The number of messages written since the last call. */
  takeWritten(): number {
    const written = this.#written;
    this.#written = 0;
    return written;
  }

  /** Resolves when the batch under way is settled. Never throws; twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reader?.close();
    await this.#done;
  }

  /** Removes the entries from the log that were written long enough ago. Throws if the log cannot be reached. */
  async trim(): Promise<void> {
    if (!this.#following) return;
    const position = this.#progress.takeTrimmable();
    if (position) await this.#deps.ingestLog.trim(this.#partition, position);
  }

  #write(batch: readonly ReadableEntry[]): Promise<Appended[]> {
    const { commits, tracing } = this.#deps;
    const messages = batch.map(({ message }) => message);
    const append = () => this.#progress.append(batch, this.#lockWaitMs);
    return commits.run(() => traceBatch(tracing, messages, append));
  }

  /** Never throws. */
  async #run(): Promise<void> {
    const { log } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#follow();
      } catch (err) {
        if (err instanceof PartitionLost) {
          log.debug({ err, partition: this.#partition }, 'another writer has this partition');
          break;
        }
        if (!this.#stopping.signal.aborted) this.#warn(err, 'cannot follow accepted messages: trying again');
        await sleep(equalJitter(retryMs), this.#stopping.signal);
      }
    }
    this.#ended = true;
  }

  /** Reads and writes until it is stopped. Throws PartitionLost, and the error of a log that cannot be read. */
  async #follow(): Promise<void> {
    await this.#checkLog();
    if (this.#stopping.signal.aborted) return;
    const reader = this.#deps.ingestLog.read(this.#partition, this.#progress.position, this.#options.maxBatch);
    this.#reader = reader;
    this.#following = true;
    try {
      for await (const entries of reader) {
        this.#failed = false;
        for (const batch of toBatches(entries)) {
          if (this.#stopping.signal.aborted) return;
          if (Array.isArray(batch)) await writeBatch(batch, this.#writing);
          else await this.#refuse(batch, 'it cannot be read');
        }
      }
    } finally {
      this.#following = false;
      await reader.close();
    }
  }

  /** Starts from the beginning if the position is not valid: the log has lost its end, or was restored from a copy. Throws PartitionLost for another log. */
  async #checkLog(): Promise<void> {
    const partition = this.#partition;
    const { position } = this.#progress;
    const { name, lastPosition, isSame } = await identifyLog(this.#deps);
    if (!isSame) throw new PartitionLost('the stream was replaced');
    if (await isPositionValid(this.#deps, { partition, position }, lastPosition)) return;
    this.#deps.log.error(
      { stream: name, partition, lastPosition, position },
      'the stream of accepted messages may have lost its end: reading it from its start',
    );
    await this.#progress.restart();
  }

  /** Resolves with the entries of busy chats, after a pause. Sets aside those whose client_message_id belongs to another message. */
  async #settle(
    batch: readonly ReadableEntry[],
    outcomes: readonly Appended[],
    repeated: boolean,
  ): Promise<readonly ReadableEntry[]> {
    this.#failed = false;
    const isBusy = outcomes.some(({ outcome }) => outcome === 'busy');
    const left = batch.filter((_, i) => ['busy', 'reused'].includes(outcomes[i]!.outcome));
    this.#written += batch.length - left.length;
    const lagMs = Math.max(0, Date.now() - batch[0]!.message.acceptedAt.getTime());
    if (left.length < batch.length) this.#deps.ingestCounters.lagSeconds.observe(lagMs / 1_000);
    this.#lockWaitMs = isBusy ? lockWaitMs : 0;
    publishWritten(this.#deps, batch, outcomes, repeated);
    if (isBusy) {
      const { signal } = this.#stopping;
      await sleep(equalJitter(retryMs), signal);
      signal.throwIfAborted();
      return left;
    }
    for (const entry of left) await this.#refuse(entry, 'another message has its client_message_id');
    return [];
  }

  /**
   * Tries the same batch again, without end, unless the database refuses its content. Throws PartitionLost, and the error itself when the writer is
   * stopped.
   */
  async #recover(batch: readonly ReadableEntry[], err: unknown): Promise<readonly ReadableEntry[] | 'refused'> {
    if (err instanceof PartitionLost) throw err;
    if (!isStorageUnavailable(err)) return 'refused';
    const { signal } = this.#stopping;
    this.#warn(err, 'accepted messages cannot be written: trying again');
    await sleep(equalJitter(retryMs), signal);
    if (signal.aborted) throw err;
    return batch;
  }

  async #refuse(entry: LogEntry, reason: string): Promise<void> {
    const { position, message } = entry;
    await traceBatch(this.#deps.tracing, message ? [message] : [], () => this.#progress.refuse(entry, reason));
    this.#deps.ingestCounters.refused.add(1);
    this.#deps.log.error(
      { partition: this.#partition, position, chatId: message?.chatId, messageId: message?.id, reason },
      'an accepted message cannot be written and was put aside in ingest.refused',
    );
  }

  /** Logs the first failure only, until something works again. */
  #warn(err: unknown, what: string): void {
    if (!this.#failed) this.#deps.log.warn({ err, partition: this.#partition }, what);
    this.#failed = true;
  }
}

/** What the database says of the message, for the operator. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
