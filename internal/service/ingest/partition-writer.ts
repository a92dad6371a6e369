import type { Logger } from 'pino';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import type { Bus } from '../../client/bus/bus.ts';
import type { IngestLog, LogEntry, PartitionReader } from '../../client/ingest/ingest-log.ts';
import { type IngestRepository, PartitionLost, type PartitionRange } from '../../repository/ingest-repository.ts';
import type { Appended } from '../../repository/message-repository.ts';
import { isTransient } from '../writing/is-transient.ts';
import { type BatchWriting, writeBatch } from '../writing/write-batch.ts';
import { type ReadableEntry, toBatches } from './batches.ts';
import { publishWritten } from './publish-written.ts';
import { recogniseLog } from './recognise-log.ts';
import type { Slots } from './slots.ts';
import { standsInLog } from './stands-in-log.ts';
import { TrimMarks } from './trim-marks.ts';

export interface PartitionWriterDeps {
  ingestLog: IngestLog;
  repository: IngestRepository;
  bus: Bus;
  /** Shared with the writers of other partitions. */
  slots: Slots;
  log: Logger;
}

export interface PartitionWriterOptions {
  /** Messages in one statement. */
  maxBatch: number;
  /** How long an entry stays in the log after it has been written, in milliseconds. */
  keepMs: number;
}

/** The longest wait after a failure, in milliseconds; it is at least half of this. */
const retryMs = 300;

/**
 * Puts one partition's messages into the database, in order and each once, from the position where it stands, and publishes them. It goes on through
 * failures of the log and of the database until it is stopped, or finds that another writer has the partition.
 */
export class PartitionWriter {
  readonly #deps: PartitionWriterDeps;
  readonly #options: PartitionWriterOptions;
  readonly #writerId: string;
  readonly #partition: number;
  readonly #stopping = new AbortController();
  readonly #writing: BatchWriting<ReadableEntry, Appended> = {
    write: (batch) => this.#append(batch),
    settle: (batch, outcomes, repeated) => this.#settle(batch, outcomes, repeated),
    recover: (batch, error) => this.#recover(batch, error),
    refuse: (entry, error) => this.#refuse(entry, (error as Error).message),
  };
  readonly #done: Promise<void>;
  #position: number;
  #marks: TrimMarks;
  /** The log is the one that the position is of, as far as is known. */
  #following = false;
  #reader: PartitionReader | undefined;
  #ended = false;
  #failed = false;
  #written = 0;

  /** Begins at once. */
  constructor(
    deps: PartitionWriterDeps,
    options: PartitionWriterOptions,
    { writerId, partition, position }: { writerId: string; partition: number; position: number },
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#writerId = writerId;
    this.#partition = partition;
    this.#position = position;
    this.#marks = this.#newMarks();
    this.#done = this.#run();
  }

  /** It has lost the partition or has been stopped, and nothing is under way. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Entries that wait in the log, as far as is known. */
  get waiting(): number {
    return this.#reader?.waiting ?? 0;
  }

  /** Messages written since this was asked last. */
  takeWritten(): number {
    const written = this.#written;
    this.#written = 0;
    return written;
  }

  /** Resolves once the batch under way is settled. Never throws; twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reader?.close();
    await this.#done;
  }

  /** Lets the log forget what was written long enough ago. */
  async trim(): Promise<void> {
    if (!this.#following) return;
    this.#marks.reached(this.#position);
    const position = this.#marks.takeDue();
    if (position) await this.#deps.ingestLog.trim(this.#partition, position);
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

  /** Reads and writes until it is stopped. Throws when the log is lost sight of, and PartitionLost. */
  async #follow(): Promise<void> {
    await this.#checkLog();
    if (this.#stopping.signal.aborted) return;
    const reader = this.#deps.ingestLog.read(this.#partition, this.#position, this.#options.maxBatch);
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

  /** A log that was made anew, that has lost its end, or was put back from a copy, counts otherwise than the position does. */
  async #checkLog(): Promise<void> {
    const { repository, log } = this.#deps;
    const { name, lastPosition, isKnown } = await recogniseLog(this.#deps);
    if (!isKnown) throw new PartitionLost('the stream was made anew');
    if (await standsInLog(this.#deps, { partition: this.#partition, position: this.#position }, lastPosition)) return;
    log.error(
      { stream: name, partition: this.#partition, lastPosition, position: this.#position },
      'the stream of accepted messages is not what it was, and may have lost its end: reading it from its start',
    );
    // What was written before is recognised.
    await repository.append(this.#stretch(0), []);
    this.#position = 0;
    this.#marks = this.#newMarks();
  }

  #append(batch: readonly ReadableEntry[]): Promise<Appended[]> {
    const messages = batch.map(({ message }) => message);
    return this.#deps.slots.run(() => this.#deps.repository.append(this.#stretch(batch.at(-1)!.position), messages));
  }

  #settle(batch: readonly ReadableEntry[], outcomes: readonly Appended[], repeated: boolean): void {
    this.#position = batch.at(-1)!.position;
    this.#marks.reached(this.#position);
    this.#failed = false;
    this.#written += batch.length;
    publishWritten(this.#deps, batch, outcomes, repeated);
  }

  /** While the database is away the same batch is tried again, for ever. Throws PartitionLost, and the error itself when the writer is stopped. */
  async #recover(batch: readonly ReadableEntry[], err: unknown): Promise<readonly ReadableEntry[] | 'refused'> {
    if (err instanceof PartitionLost) throw err;
    if (!isTransient(err)) return 'refused';
    const { signal } = this.#stopping;
    this.#warn(err, 'the database is away: trying the batch again');
    await sleep(equalJitter(retryMs), signal);
    if (signal.aborted) throw err;
    return batch;
  }

  async #refuse({ position, message, body }: LogEntry, reason: string): Promise<void> {
    const { repository, log } = this.#deps;
    const named = { partition: this.#partition, position, chatId: message?.chatId, messageId: message?.id, reason };
    await repository.refuse(this.#stretch(position), body, reason);
    this.#position = position;
    log.error(named, 'an accepted message cannot be written and was put aside in ingest.refused');
  }

  #newMarks(): TrimMarks {
    const marks = new TrimMarks(this.#options.keepMs);
    marks.reached(this.#position);
    return marks;
  }

  #stretch(to: number): PartitionRange {
    return { writerId: this.#writerId, partition: this.#partition, from: this.#position, to };
  }

  /** Once for each time that something is away. */
  #warn(err: unknown, what: string): void {
    if (!this.#failed) this.#deps.log.warn({ err, partition: this.#partition }, what);
    this.#failed = true;
  }
}
