import type { Violation, ViolationKind } from './violation.ts';

/** What a history comes to. */
export interface Verdict {
  /** Whether nothing contradicts what the service promises. */
  ok: boolean;
  violations: Violation[];
  /** How often each kind was found; more than are in `violations`, where only the first few of a kind are kept. */
  counts: Partial<Record<ViolationKind, number>>;
  figures: Figures;
}

/** What was done and seen. Times in milliseconds. */
export interface Figures {
  seed: number;
  durationMs: number;
  operations: number;
  /** By name and outcome, such as `send/grpc ok`. */
  byName: Record<string, { ok: number; refused: number; unknown: number }>;
  chats: number;
  /** Chats whose whole history was read at the end. */
  audited: number;
  /** Chats with acknowledged messages that could not be read at the end, though somebody had the right to: of these nothing is proved. */
  unread: number;
  readers: number;
  /** Messages that live readers were given. */
  delivered: number;
  acknowledged: number;
  /** Sends of which nobody knows what became of them. */
  unknown: number;
  lost: number;
  doubled: number;
  reordered: number;
  faults: number;
  /** The longest time from when a message was known to be there until a live reader was given it. */
  longestDelayMs: number;
  resumes: number;
  resumeP50Ms: number;
  resumeP99Ms: number;
}
