import type { ChatPublication } from '../../client/bus/bus.ts';
import { Batch } from '../../model/batch.ts';
import { charsOf, type Entry, entriesAfter, type MembershipEnd, seqOf, supersede } from '../../model/entry.ts';
import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import type { Message } from '../../model/message.ts';
import type { ChangesPage } from '../../repository/message-repository.ts';
import type { DeliveryCounters } from './delivery-counters.ts';
import { SharedEvent } from './shared-event.ts';

/** A reader of one chat on this node. Its methods must not throw. */
export interface TopicReader {
  readonly userId: string;
  /** The chat's next entries; all live readers are given the same batch. Called only while the reader is live. */
  onBatch(batch: Batch): void;
  /** The membership of this user ended. Called only while the reader is not live: a live one finds the end in the batch. */
  onMembershipEnded(end: MembershipEnd): void;
  /** Called only while the reader is live. */
  onEphemeralEvent(event: SharedEvent<EphemeralEvent>): void;
  /** The chat was deleted. Called whether the reader is live or not. */
  onDeleted(): void;
  /**
   * Another epoch has begun, in which the chat's numbers up to `validSeq` are the same as before. `lost`: there were later ones. Called whether the reader
   * is live or not.
   */
  onEpoch(epoch: string, validSeq: number, lost: boolean): void;
}

export interface TopicOptions {
  /** Milliseconds to wait for a number that a later one overtook before it is fetched from the database. */
  stragglerMs: number;
  /** Characters of text of the newest entries that are kept in memory for readers who are a little behind. */
  recentChars: number;
  /** Entries of a page when missing ones are fetched. */
  pageSize: number;
}

interface Deps {
  fetch: (afterSeq: number, limit: number) => Promise<ChangesPage | undefined>;
  /** A message was deleted: what is kept of the chat elsewhere may contain its text. */
  onDeletion: () => void;
  onFetchError: (error: unknown) => void;
  counters: DeliveryCounters;
}

/** Added to the text's length for each entry in memory, so that a chat of tiny messages is bounded too. */
const entryOverheadChars = 200;

/** Characters of the entries kept while an earlier number is missing. Further ones are dropped, and fetched together with the missing number. */
const maxEarlyChars = 262_144;

/**
 * One chat on this node. The bus may deliver the chat's publications late, twice or never; each live reader is given every entry once, in
 * the order of the numbers.
 */
export class Topic {
  readonly #options: TopicOptions;
  readonly #deps: Deps;
  readonly #readers = new Set<TopicReader>();
  readonly #live = new Set<TopicReader>();
  /** Entries that arrived before an earlier number did, by number. */
  readonly #early = new Map<number, Entry>();
  #earlyChars = 0;
  #recent: Entry[] = [];
  #recentChars = 0;
  /** `#recent` holds every entry after this number. */
  #recentAfter: number;
  /** What `since` returned last, while a reader still has it: readers who reconnect together lack the same entries. */
  #lastSince: WeakRef<Batch> | undefined;
  #head: number;
  /** The highest number that the chat is known to have. */
  #knownHead: number;
  #straggler: NodeJS.Timeout | undefined;
  #repairing: Promise<void> | undefined;
  #ended = false;
  #deleted = false;
  #epoch: string;

  constructor({ head, epoch }: { head: number; epoch: string }, deps: Deps, options: TopicOptions) {
    this.#epoch = epoch;
    this.#head = head;
    this.#knownHead = head;
    this.#recentAfter = head;
    this.#deps = deps;
    this.#options = options;
  }

  /** The number of the last entry that live readers were given. */
  get head(): number {
    return this.#head;
  }

  /** The epoch that the head belongs to. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The chat was deleted: no reader is given anything more. */
  get deleted(): boolean {
    return this.#deleted;
  }

  /** Readers that are given batches as they come. */
  get liveReaders(): number {
    return this.#live.size;
  }

  /** Readers that read pages from the database. */
  get readersBehind(): number {
    return this.#readers.size - this.#live.size;
  }

  /** Counts entries that a reader was given. */
  delivered(count: number): void {
    this.#deps.counters.deliveries.add(count);
  }

  add(reader: TopicReader): void {
    this.#readers.add(reader);
  }

  remove(reader: TopicReader): void {
    this.#readers.delete(reader);
    this.#live.delete(reader);
  }

  goLive(reader: TopicReader): void {
    if (this.#readers.has(reader)) this.#live.add(reader);
  }

  leaveLive(reader: TopicReader): void {
    this.#live.delete(reader);
  }

  /** Every entry after a number up to the head; undefined if some of them are no longer in memory. */
  since(seq: number): Batch | undefined {
    if (seq >= this.#head) return Batch.empty;
    if (seq < this.#recentAfter) return undefined;
    const last = this.#lastSince?.deref();
    if (last?.firstSeq === seq + 1 && last.lastSeq === this.#head) return last;
    const batch = new Batch(entriesAfter(this.#recent, seq));
    this.#lastSince = new WeakRef(batch);
    return batch;
  }

  receive(publication: ChatPublication): void {
    if (this.#ended) return;
    if (publication.kind === 'deleted') return this.end();
    if (publication.kind === 'ephemeral') return this.#pass(publication);
    if (publication.kind === 'head') {
      this.#knownHead = Math.max(this.#knownHead, publication.seq);
    } else if (publication.epoch === undefined || publication.epoch === this.#epoch) {
      this.#receiveBatch(new Batch(publication.entries));
    } else {
      // The numbers may belong to other entries here: the database says.
      this.#knownHead = Math.max(this.#knownHead, seqOf(publication.entries.at(-1)!));
    }
    if (this.#knownHead > this.#head) this.#awaitStragglers();
  }

  /** Fetches the entries that live readers lack. Calls during a repair return that repair. Never throws. */
  repair(): Promise<void> {
    if (!this.#repairing) this.#deps.counters.repairs.add(1);
    this.#repairing ??= this.#fetchMissing()
      .catch(this.#deps.onFetchError)
      .finally(() => {
        this.#repairing = undefined;
      });
    return this.#repairing;
  }

  /** The chat was deleted. */
  end(): void {
    this.stop();
    this.#deleted = true;
    for (const reader of [...this.#readers]) reader.onDeleted();
  }

  /** Another epoch has begun. Of the chat's numbers only those up to `validSeq` are the same; everything in memory may be of the earlier epoch. */
  enterEpoch(epoch: string, validSeq: number): void {
    if (this.#ended) return;
    const lost = validSeq < this.#head;
    this.#deps.counters.resets.add(1);
    this.#epoch = epoch;
    this.#head = Math.min(this.#head, validSeq);
    this.#knownHead = this.#head;
    this.#recent = [];
    this.#recentChars = 0;
    this.#recentAfter = this.#head;
    this.#lastSince = undefined;
    this.#early.clear();
    this.#earlyChars = 0;
    for (const reader of [...this.#readers]) reader.onEpoch(epoch, validSeq, lost);
  }

  stop(): void {
    this.#ended = true;
    clearTimeout(this.#straggler);
  }

  #pass({ event, onlyTo }: Extract<ChatPublication, { kind: 'ephemeral' }>): void {
    const shared = new SharedEvent(event);
    for (const reader of this.#live) {
      if (onlyTo === undefined || reader.userId === onlyTo) reader.onEphemeralEvent(shared);
    }
  }

  #receiveBatch(batch: Batch): void {
    if (batch.isEmpty) return;
    this.#knownHead = Math.max(this.#knownHead, batch.lastSeq);
    // The common case: the batch is the next one.
    if (this.#early.size === 0 && batch.firstSeq === this.#head + 1 && batch.isContiguous) return this.#deliver(batch);
    for (const entry of batch.entries) {
      const seq = seqOf(entry);
      if (seq <= this.#head || this.#early.has(seq) || this.#earlyChars >= maxEarlyChars) continue;
      this.#early.set(seq, entry);
      this.#earlyChars += costOf(entry);
    }
    this.#deliverEarly();
  }

  #deliverEarly(): void {
    const next: Entry[] = [];
    for (let seq = this.#head + 1; ; seq += 1) {
      const entry = this.#takeEarly(seq);
      if (!entry) break;
      next.push(entry);
    }
    if (next.length > 0) this.#deliver(new Batch(next));
  }

  #takeEarly(seq: number): Entry | undefined {
    const entry = this.#early.get(seq);
    if (!entry) return undefined;
    this.#early.delete(seq);
    this.#earlyChars -= costOf(entry);
    return entry;
  }

  #deliver(batch: Batch): void {
    this.#head = batch.lastSeq;
    this.#remember(batch.entries);
    for (const entry of batch.entries) if (entry.kind === 'message_changed') this.#forgetOlder(entry.message);
    for (const end of batch.membershipEnds) {
      for (const reader of this.#readers) {
        if (reader.userId === end.userId && !this.#live.has(reader)) reader.onMembershipEnded(end);
      }
    }
    if (this.#live.size === 0) return;
    this.#observeAge(batch.entries[0]!);
    for (const reader of this.#live) reader.onBatch(batch);
  }

  #observeAge(oldest: Entry): void {
    if (oldest.kind !== 'message') return;
    // The clocks of the database and of this node may differ.
    const ageMs = Math.max(0, Date.now() - oldest.message.createdAt.getTime());
    this.#deps.counters.deliverySeconds.observe(ageMs / 1_000);
  }

  /** Removes older states of a changed message from memory, so that a deleted text is not delivered from here. */
  #forgetOlder(newest: Message): void {
    if (newest.deletion) this.#deps.onDeletion();
    for (const [i, entry] of this.#recent.entries()) {
      const left = supersede(entry, newest);
      if (left === entry) continue;
      this.#recent[i] = left;
      this.#recentChars += charsOf(left) - charsOf(entry);
    }
    this.#lastSince = undefined;
  }

  #remember(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#recent.push(entry);
      this.#recentChars += costOf(entry);
    }
    let dropped = 0;
    while (this.#recentChars > this.#options.recentChars) {
      const entry = this.#recent[dropped]!;
      this.#recentChars -= costOf(entry);
      this.#recentAfter = seqOf(entry);
      dropped += 1;
    }
    if (dropped > 0) this.#recent = this.#recent.slice(dropped);
  }

  #awaitStragglers(): void {
    this.#straggler ??= setTimeout(() => {
      this.#straggler = undefined;
      if (this.#knownHead > this.#head && !this.#ended) void this.repair();
    }, this.#options.stragglerMs);
  }

  async #fetchMissing(): Promise<void> {
    let hasMore = true;
    while (hasMore && !this.#ended) {
      const [epoch, known] = [this.#epoch, this.#knownHead];
      const page = await this.#deps.fetch(this.#head, this.#options.pageSize);
      if (this.#ended) return;
      // A page of the epoch before: it is read again.
      if (this.#epoch !== epoch) continue;
      if (!page) return this.end();
      // The database has nothing of what was announced: it has gone back, or the announcement was wrong.
      if (!page.hasMore && this.#knownHead === known) this.#knownHead = Math.max(page.lastSeq, this.#head);
      hasMore = page.hasMore;
      // The bus may have brought some of the entries during the fetch.
      const missing = page.batch.after(this.#head);
      if (missing) this.#deliver(missing);
      for (const seq of this.#early.keys()) if (seq <= this.#head) this.#takeEarly(seq);
      this.#deliverEarly();
    }
    // A publication during the repair may have told of a number after the last page, and started no repair of its own.
    if (this.#knownHead > this.#head && !this.#ended) this.#awaitStragglers();
  }
}

function costOf(entry: Entry): number {
  return charsOf(entry) + entryOverheadChars;
}
