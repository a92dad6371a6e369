import { type Entry, entriesAfter, firstSeqOf, type MembershipEnd, membershipEndOf, seqOf } from './entry.ts';
import type { Frame } from './frame.ts';

/** Encodes entries for clients. */
export interface EntryEncoder {
  /** Returns one event per entry, in order, in frames small enough for any client. */
  encodeEntries(entries: readonly Entry[]): readonly Frame[];
}

/** The number of rests that a batch remembers. Few suffice: readers that lost their connections together mostly lack the same entries. */
const maxRests = 4;

/**
 * Immutable list of entries of one chat, in ascending order of their numbers. All readers share one Batch, so its frames and their forms are made at
 * most once, and are freed with it.
 */
export class Batch {
  static readonly empty = new Batch([]);

  /** Shared: never change them. */
  readonly entries: readonly Entry[];
  /** The first number of the first entry; 0 if there is none. */
  readonly firstSeq: number;
  /** The last number of the last entry; 0 if there is none. */
  readonly lastSeq: number;
  #encoded: { by: EntryEncoder; frames: readonly Frame[] } | undefined;
  #membershipEnds: readonly MembershipEnd[] | undefined;
  /** By the number before their first entry. */
  #rests: Map<number, Batch> | undefined;

  constructor(entries: readonly Entry[]) {
    const [first, last] = [entries[0], entries.at(-1)];
    this.entries = entries;
    this.firstSeq = first ? firstSeqOf(first) : 0;
    this.lastSeq = last ? seqOf(last) : 0;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Whether every number from the first to the last has an entry. */
  get isContiguous(): boolean {
    let next = this.firstSeq;
    for (const entry of this.entries) {
      if (firstSeqOf(entry) !== next) return false;
      next = seqOf(entry) + 1;
    }
    return true;
  }

  /** The memberships that ended with one of the entries. */
  get membershipEnds(): readonly MembershipEnd[] {
    this.#membershipEnds ??= this.entries.flatMap((entry) => membershipEndOf(entry) ?? []);
    return this.#membershipEnds;
  }

  /** Returns the entries as frames, the same objects on each call. Remembers the frames of one encoder: a process has only one. */
  frames(encoder: EntryEncoder): readonly Frame[] {
    if (this.#encoded?.by !== encoder) this.#encoded = { by: encoder, frames: encoder.encodeEntries(this.entries) };
    return this.#encoded.frames;
  }

  /** Returns the entries with numbers greater than `seq`: this batch if that is all of them, undefined if there are none. */
  after(seq: number): Batch | undefined {
    if (seq >= this.lastSeq) return undefined;
    if (seq < this.firstSeq) return this;
    this.#rests ??= new Map();
    let rest = this.#rests.get(seq);
    if (!rest) {
      rest = new Batch(entriesAfter(this.entries, seq));
      if (this.#rests.size >= maxRests) this.#rests.delete(this.#rests.keys().next().value!);
      this.#rests.set(seq, rest);
    }
    return rest;
  }
}
