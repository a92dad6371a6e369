import type { EnvReader } from '../reading/env-reader.ts';

/** How messages are committed in batches. */
export interface WriterConfig {
  /** Messages committed by one statement. */
  maxBatch: number;
  /** Batches that are being committed at the same time. */
  maxInFlight: number;
  /** Messages that may wait to be committed; more are refused. */
  maxQueued: number;
  /** How long a message waits for a database that is away, in milliseconds. */
  giveUpAfterMs: number;
}

export function readWriter(read: EnvReader): WriterConfig {
  return {
    maxBatch: read.integer('WRITER_MAX_BATCH', 512, { min: 1, max: 10_000 }),
    maxInFlight: read.integer('WRITER_MAX_IN_FLIGHT', 2, { min: 1, max: 100 }),
    maxQueued: read.integer('WRITER_MAX_QUEUED', 20_000, { min: 1, max: 10_000_000 }),
    giveUpAfterMs: read.integer('WRITER_GIVE_UP_MS', 4_000, { min: 100, max: 600_000 }),
  };
}
