import type { Frame } from './frame.ts';
import type { Message } from './message.ts';
import { endedMembership } from './system-event.ts';

/** One numbered entry of a chat: a message in its newest state. Other kinds of changes would be added here. */
export type Entry = Message;

/** Returns the number that orders entries in their chat. */
export function seqOf(entry: Entry): number {
  return entry.updateSeq;
}

/** The end of a user's membership, by the entry with number `seq`. */
export interface MembershipEnd {
  userId: string;
  reason: 'LEFT' | 'REMOVED' | 'BANNED';
  seq: number;
}

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
  /** The number of the first entry; 0 if there is none. */
  readonly firstSeq: number;
  /** The number of the last entry; 0 if there is none. */
  readonly lastSeq: number;
  #encoded: { by: EntryEncoder; frames: readonly Frame[] } | undefined;
  #membershipEnds: readonly MembershipEnd[] | undefined;
  /** By the index of their first entry. */
  #rests: Map<number, Batch> | undefined;

  constructor(entries: readonly Entry[]) {
    const [first, last] = [entries[0], entries.at(-1)];
    this.entries = entries;
    this.firstSeq = first ? seqOf(first) : 0;
    this.lastSeq = last ? seqOf(last) : 0;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Whether every number from the first to the last has an entry. A number has none if its message changed later. */
  get isContiguous(): boolean {
    return this.lastSeq - this.firstSeq === this.entries.length - 1;
  }

  /** The memberships that ended with one of the entries. */
  get membershipEnds(): readonly MembershipEnd[] {
    this.#membershipEnds ??= this.entries.flatMap((entry) => {
      const ended = entry.system && endedMembership(entry);
      return ended ? [{ ...ended, seq: seqOf(entry) }] : [];
    });
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
    const place = this.entries.findIndex((entry) => seqOf(entry) > seq);
    this.#rests ??= new Map();
    let rest = this.#rests.get(place);
    if (!rest) {
      rest = new Batch(this.entries.slice(place));
      if (this.#rests.size >= maxRests) this.#rests.delete(this.#rests.keys().next().value!);
      this.#rests.set(place, rest);
    }
    return rest;
  }
}
