import type { Violation, ViolationKind } from './violation.ts';

/** The result of checking a history. */
export interface Verdict {
  /** True when nothing contradicts the promises of the service. */
  ok: boolean;
  violations: Violation[];
  /** How often each kind was found. `violations` keeps only the first few of each kind. */
  counts: Partial<Record<ViolationKind, number>>;
  figures: Figures;
}

/** Counts and times of a run; times in milliseconds. */
export interface Figures {
  seed: number;
  durationMs: number;
  operations: number;
  /** By the operation's name, how many attempts had each outcome. */
  byName: Record<string, { ok: number; refused: number; unknown: number }>;
  chats: number;
  /** Chats whose whole history was read at the end. */
  audited: number;
  /** Chats with acknowledged messages that nobody read at the end although a user had the right to: about these the run proves nothing. */
  unread: number;
  readers: number;
  /** Messages that readers received. */
  delivered: number;
  acknowledged: number;
  /** Edits and deletions that were acknowledged. */
  changed: number;
  /** Messages whose sends have an unknown outcome. */
  unknown: number;
  lost: number;
  doubled: number;
  reordered: number;
  faults: number;
  /** The longest time between the first sign of a message and its arrival at a live reader. */
  longestDelayMs: number;
  resumes: number;
  resumeP50Ms: number;
  resumeP99Ms: number;
}
