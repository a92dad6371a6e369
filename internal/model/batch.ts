import type { Frame } from './frame.ts';
import type { Message } from './message.ts';
import { endedMembership } from './system-event.ts';

/** One numbered event of a chat. So far each is a message in its newest state; other kinds of changes join here. */
export type Entry = Message;

/** The entry's number in the order of its chat. */
export function seqOf(entry: Entry): number {
  return entry.updateSeq;
}

/** A user's membership ended with the entry of this number. */
export interface MembershipEnd {
  userId: string;
  reason: 'LEFT' | 'REMOVED' | 'BANNED';
  seq: number;
}

export interface EntryEncoder {
  /** One event for each entry, in order, in frames that are small enough for any client. */
  encodeEntries(entries: readonly Entry[]): readonly Frame[];
}

/** Rests of a batch that it remembers: readers who were cut off together lack the same entries, with few exceptions. */
const maxRests = 4;

/**
 * Entries of one chat, in ascending order of their numbers, that many readers are given. It is made once and passed to all of them: its
 * frames, and what transports make of these, are made at most once and are freed with it. Never changed.
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
  /** By the place of their first entry. */
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

  /** Whether every number from the first to the last has its entry: a number goes without when its message was changed later. */
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

  /** The entries as frames of events: the same for every reader. A process has one encoder, and only the last one's frames are kept. */
  frames(encoder: EntryEncoder): readonly Frame[] {
    if (this.#encoded?.by !== encoder) this.#encoded = { by: encoder, frames: encoder.encodeEntries(this.entries) };
    return this.#encoded.frames;
  }

  /** The entries after a number: the batch itself if that is all of them, undefined if it is none. */
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
