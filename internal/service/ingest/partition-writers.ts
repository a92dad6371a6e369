import { randomUUID } from 'node:crypto';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import { PartitionWriter, type PartitionWriterDeps, type PartitionWriterOptions } from './partition-writer.ts';
import { Slots } from './slots.ts';

export interface PartitionWritersOptions extends PartitionWriterOptions {
  /** Batches that are being committed at the same time, of all partitions. */
  maxInFlight: number;
  /** How often the writer says that it lives and learns its share, in milliseconds. */
  heartbeatMs: number;
  /** A writer that has not said so for this long has lost its partitions, in milliseconds. */
  missingAfterMs: number;
  /** How often the log is told how far things are, in milliseconds. */
  reportEveryMs: number;
}

type Deps = Omit<PartitionWriterDeps, 'slots'>;

/**
 * This process's share of the partitions. All processes that write share them evenly: within a few heartbeats those of one that has died are taken
 * over, and those that come get theirs. A partition is only ever moved on by the one that has it: that the repository sees to.
 */
export class PartitionWriters {
  readonly #deps: Deps;
  readonly #options: PartitionWritersOptions;
  readonly #writerId = randomUUID();
  readonly #slots: Slots;
  readonly #writers = new Map<number, PartitionWriter>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #trimming: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #failed = false;
  #reportedAt = performance.now();

  constructor(deps: Deps, options: PartitionWritersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#slots = new Slots(options.maxInFlight);
  }

  /** The partitions that this process writes. */
  get partitions(): number[] {
    return [...this.#writers].filter(([, writer]) => !writer.ended).map(([partition]) => partition);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Settles the batches under way and gives the partitions back. Twice is harmless. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (!this.#running) return;
    this.#stopping.abort();
    await this.#running;
    await Promise.all([this.#trimming, ...[...this.#writers.values()].map((writer) => writer.stop())]);
    this.#writers.clear();
    // Also without partitions: it counts among those who share them.
    await this.#deps.repository.leave(this.#writerId);
  }

  /** Never throws. */
  async #run(): Promise<void> {
    const { log, repository } = this.#deps;
    const { heartbeatMs, missingAfterMs } = this.#options;
    while (!this.#stopped) {
      try {
        this.#apply(await repository.takePartitions(this.#writerId, missingAfterMs));
        this.#failed = false;
      } catch (err) {
        if (!this.#failed) log.warn({ err }, 'cannot learn which partitions to write; trying again');
        this.#failed = true;
      }
      this.#trimming ??= this.#trim().finally(() => (this.#trimming = undefined));
      this.#report();
      await sleep(equalJitter(heartbeatMs), this.#stopping.signal);
    }
  }

  #apply(positions: ReadonlyMap<number, number>): void {
    const { log } = this.#deps;
    const before = this.partitions.length;
    for (const [partition, writer] of this.#writers) {
      if (positions.has(partition) && !writer.ended) continue;
      this.#writers.delete(partition);
      // It may be in the middle of a batch, which the database then refuses or the next one waits for.
      void writer.stop();
    }
    for (const [partition, position] of positions) {
      if (this.#writers.has(partition) || this.#stopped) continue;
      const writer = new PartitionWriter({ ...this.#deps, slots: this.#slots }, this.#options, {
        writerId: this.#writerId,
        partition,
        position,
      });
      this.#writers.set(partition, writer);
    }
    const { length: now } = this.partitions;
    if (now !== before) log.info({ partitions: now }, 'writing so many partitions of accepted messages');
  }

  /** Never throws. */
  async #trim(): Promise<void> {
    for (const writer of this.#writers.values()) {
      try {
        await writer.trim();
      } catch (err) {
        // What is due is told again once more has been written.
        this.#deps.log.debug({ err }, 'could not trim the log');
        return;
      }
    }
  }

  #report(): void {
    const now = performance.now();
    if (now - this.#reportedAt < this.#options.reportEveryMs) return;
    this.#reportedAt = now;
    const writers = [...this.#writers.values()];
    const written = writers.reduce((sum, writer) => sum + writer.takeWritten(), 0);
    const waiting = writers.reduce((sum, writer) => sum + writer.waiting, 0);
    if (written + waiting > 0) this.#deps.log.info({ written, waiting }, 'accepted messages written, and waiting');
  }
}
