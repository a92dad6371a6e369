import type { EnvReader } from '../reading/env-reader.ts';

/** Streamed messages. */
export interface StreamsConfig {
  /** The parts of a message that arrive within this time after its last change are stored together, in milliseconds. */
  flushMs: number;
  /** How long a message grows after its sender was last heard, in milliseconds. */
  timeoutMs: number;
  /** Characters of a streamed message. */
  maxTextLength: number;
}

export function readStreams(read: EnvReader): StreamsConfig {
  return {
    flushMs: read.integer('STREAM_FLUSH_MS', 40, { min: 0, max: 60_000 }),
    timeoutMs: read.integer('STREAM_TIMEOUT_SECONDS', 60, { min: 1, max: 86_400 }) * 1_000,
    maxTextLength: read.integer('MAX_STREAMED_TEXT_LENGTH', 64_000, { min: 1, max: 262_144 }),
  };
}
