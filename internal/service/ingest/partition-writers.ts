import { randomUUID } from 'node:crypto';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import { type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { type WrittenCounters, writtenCounters } from '../writing/written-entries.ts';
import { type IngestCounters, ingestCounters } from './ingest-counters.ts';
import { PartitionWriter, type PartitionWriterDeps, type PartitionWriterOptions } from './partition-writer.ts';
import { Semaphore } from './semaphore.ts';

export interface PartitionWritersOptions extends PartitionWriterOptions {
  /** How many batches of all partitions are committed at the same time. */
  maxInFlight: number;
  /** The longest time between two heartbeats, in milliseconds; the shortest is half of it. A heartbeat also assigns the partitions. */
  heartbeatMs: number;
  /** A writer without a heartbeat for this long loses its partitions, in milliseconds. */
  missingAfterMs: number;
  /** How often the numbers of written and waiting messages are logged, in milliseconds. */
  reportEveryMs: number;
}

type Deps = Omit<PartitionWriterDeps, 'commits' | 'counters' | 'ingestCounters'> & { metrics?: Metrics };

/**
 * Writes this process's share of the partitions. All writing processes share them evenly: within a few heartbeats a new process gets its share, and the
 * others take over the share of one that died. The repository makes sure that only the process that has a partition moves its position.
 */
export class PartitionWriters {
  readonly #deps: Deps;
  readonly #options: PartitionWritersOptions;
  readonly #writerId = randomUUID();
  readonly #commits: Semaphore;
  readonly #counters: WrittenCounters;
  readonly #ingestCounters: IngestCounters;
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
    this.#commits = new Semaphore(options.maxInFlight);
    const { metrics = noMetrics } = deps;
    this.#counters = writtenCounters(metrics);
    this.#ingestCounters = ingestCounters(metrics);
    metrics.gauge(
      { name: 'chat_ingest_partitions', help: 'Partitions of accepted messages that this process writes.' },
      () => this.partitions.length,
    );
    metrics.gauge(
      { name: 'chat_ingest_waiting_messages', help: 'Accepted messages in these partitions that are not read yet.' },
      () => this.#waiting,
    );
  }

  /** The partitions that this process writes. */
  get partitions(): number[] {
    return [...this.#writers].filter(([, writer]) => !writer.ended).map(([partition]) => partition);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the batches under way and releases the partitions. Twice is harmless. */
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
    // Also when this process has no partition: until it leaves, it counts as one of the processes that share them.
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
      // The writer may be in the middle of a batch: the database commits it before the partition changes hands, or rejects it.
      void writer.stop();
    }
    for (const [partition, position] of positions) {
      if (this.#writers.has(partition) || this.#stopped) continue;
      const writer = new PartitionWriter(
        { ...this.#deps, commits: this.#commits, counters: this.#counters, ingestCounters: this.#ingestCounters },
        this.#options,
        {
          writerId: this.#writerId,
          partition,
          position,
        },
      );
      this.#writers.set(partition, writer);
    }
    const { length: now } = this.partitions;
    if (now !== before) log.info({ partitions: now }, 'the number of partitions that this process writes has changed');
  }

  get #waiting(): number {
    return [...this.#writers.values()].reduce((sum, writer) => sum + writer.waiting, 0);
  }

  /** Never throws. */
  async #trim(): Promise<void> {
    for (const writer of this.#writers.values()) {
      try {
        await writer.trim();
      } catch (err) {
        // A later mark covers the same entries.
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
    const waiting = this.#waiting;
    if (written + waiting > 0) this.#deps.log.info({ written, waiting }, 'accepted messages written, and waiting');
  }
}
