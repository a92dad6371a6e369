import type { EnvReader } from '../reading/env-reader.ts';

/** Sizes and counts; a request beyond one of them is refused with a reason. */
export interface LimitsConfig {
  /** Characters of a message. */
  maxTextLength: number;
  /** Members of a chat. */
  maxMembers: number;
  /** Kinds of reactions to a message. */
  maxReactionKinds: number;
  /** Items of a page. */
  maxPageSize: number;
  /** Bytes of a request, or of a frame of commands. */
  maxFrameBytes: number;
  maxCommandsPerFrame: number;
  /** Streams that may begin each second. */
  arrivalsPerSecond: number;
  /** Streams that may wait for their turn to begin. */
  arrivalsMaxWaiting: number;
  /** Open streams of one user; 0: any number. */
  maxStreamsPerUser: number;
  /** Calls and streams that may be open on one gRPC connection. */
  maxStreamsPerConnection: number;
  /** Chats that one stream may be subscribed to. */
  maxSubscriptions: number;
  /** Chats with more members get no typing, presence or read events. */
  maxSignalMembers: number;
  /** Messages of one stream that may wait for their commit. */
  maxPendingSends: number;
  /** Bytes that may wait for one reader; beyond that it is served from the database at its own pace. */
  outboxBytes: number;
}

export function readLimits(read: EnvReader): LimitsConfig {
  const limits = {
    maxTextLength: read.integer('MAX_TEXT_LENGTH', 4_000, { min: 1, max: 65_536 }),
    maxMembers: read.integer('MAX_MEMBERS', 10_000, { min: 2, max: 1_000_000 }),
    maxReactionKinds: read.integer('MAX_REACTION_KINDS', 50, { min: 1, max: 1_000 }),
    maxPageSize: read.integer('MAX_PAGE_SIZE', 200, { min: 1, max: 1_000 }),
    ...readFrameLimits(read),
    arrivalsPerSecond: read.integer('ARRIVALS_PER_SECOND', 400, { min: 25, max: 100_000 }),
    arrivalsMaxWaiting: read.integer('ARRIVALS_MAX_WAITING', 20_000, { min: 0, max: 10_000_000 }),
    maxStreamsPerUser: read.integer('MAX_STREAMS_PER_USER', 100, { min: 0, max: 1_000_000 }),
    // Not less than a gateway opens on a connection (`maxCallsPerClient`).
    maxStreamsPerConnection: read.integer('MAX_STREAMS_PER_CONNECTION', 256, { min: 200, max: 100_000 }),
    maxSubscriptions: read.integer('MAX_SUBSCRIPTIONS', 1_000, { min: 1, max: 100_000 }),
    maxSignalMembers: read.integer('MAX_SIGNAL_MEMBERS', 200, { min: 0, max: 100_000 }),
    maxPendingSends: read.integer('MAX_PENDING_SENDS', 256, { min: 1, max: 100_000 }),
    outboxBytes: read.integer('OUTBOX_BYTES', 262_144, { min: 1_024, max: 1_073_741_824 }),
  };
  read.require(
    limits.maxTextLength * 4 + 1_024 <= limits.maxFrameBytes,
    'MAX_FRAME_BYTES must have room for a message: 4 bytes for each of MAX_TEXT_LENGTH characters, and 1024 more',
  );
  return limits;
}

/** The limits that a gateway needs when it runs alone. */
export function readFrameLimits(read: EnvReader): Pick<LimitsConfig, 'maxFrameBytes' | 'maxCommandsPerFrame'> {
  return {
    maxFrameBytes: read.integer('MAX_FRAME_BYTES', 1_048_576, { min: 1_024, max: 67_108_864 }),
    maxCommandsPerFrame: read.integer('MAX_COMMANDS_PER_FRAME', 256, { min: 1, max: 100_000 }),
  };
}
