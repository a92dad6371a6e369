import type { LogEntry } from '../../client/ingest/ingest-log.ts';
import type { IngestRepository, PartitionRange } from '../../repository/ingest-repository.ts';
import type { Appended } from '../../repository/message-repository.ts';
import type { ReadableEntry } from './batches.ts';
import { TrimMarks } from './trim-marks.ts';

interface PartitionProgressOptions {
  writerId: string;
  partition: number;
  position: number;
  /** How long an entry stays in the log after it has been written, in milliseconds. */
  keepMs: number;
}

/**
 * How far one writer has written its partition. Each change of the database moves the position in the same transaction, and throws PartitionLost if the
 * writer no longer has the partition at this position.
 */
export class PartitionProgress {
  readonly #repository: Pick<IngestRepository, 'append' | 'refuse'>;
  readonly #options: PartitionProgressOptions;
  #position: number;
  #marks: TrimMarks;

  constructor(repository: Pick<IngestRepository, 'append' | 'refuse'>, options: PartitionProgressOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#position = options.position;
    this.#marks = this.#newMarks();
  }

  /** The position of the last entry that has been processed. */
  get position(): number {
    return this.#position;
  }

  /**
   * Writes a batch of the entries that follow, and returns the outcomes in its order. If one of them is `busy` or `reused`, the position does not move: the
   * first is to be tried again, the second to be set aside.
   */
  async append(batch: readonly ReadableEntry[], lockWaitMs: number): Promise<Appended[]> {
    const { position } = batch.at(-1)!;
    const messages = batch.map(({ message }) => message);
    const outcomes = await this.#repository.append(this.#rangeTo(position), messages, lockWaitMs);
    if (outcomes.some(({ outcome }) => outcome === 'busy' || outcome === 'reused')) return outcomes;
    this.#position = position;
    this.#marks.reached(position);
    return outcomes;
  }

  /** Sets the next entry aside, which cannot be written. */
  async refuse({ position, body }: LogEntry, reason: string): Promise<void> {
    await this.#repository.refuse(this.#rangeTo(position), body, reason);
    this.#position = position;
  }

  /** Goes back to the start of the log. The database recognises the messages that it has already. */
  async restart(): Promise<void> {
    await this.#repository.append(this.#rangeTo(0), []);
    this.#position = 0;
    this.#marks = this.#newMarks();
  }

  /** The position up to which entries were processed at least `keepMs` ago. Undefined if there are no new ones since the last call. */
  takeTrimmable(): number | undefined {
    this.#marks.reached(this.#position);
    return this.#marks.takeDue();
  }

  #newMarks(): TrimMarks {
    const marks = new TrimMarks(this.#options.keepMs);
    marks.reached(this.#position);
    return marks;
  }

  #rangeTo(to: number): PartitionRange {
    const { writerId, partition } = this.#options;
    return { writerId, partition, from: this.#position, to };
  }
}
