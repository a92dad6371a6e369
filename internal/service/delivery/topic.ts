import type { ChatPublication } from '../../client/bus/bus.ts';
import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import type { Message } from '../../model/message.ts';
import { endedMembership } from '../../model/system-event.ts';
import type { ChangesPage } from '../../repository/message-repository.ts';

/** A reader of one chat on this node. Its methods must not throw. */
export interface TopicReader {
  readonly userId: string;
  /** The chat's next messages. Called only while the reader is live. The array is shared: never change it. */
  onMessages(messages: readonly Message[]): void;
  /** A message that ended this user's membership came by while the reader was not live; a live one is given the message. */
  onMembershipEnded(message: Message): void;
  /** Called only while the reader is live. The object is shared: never change it. */
  onEphemeralEvent(event: EphemeralEvent): void;
  /** The chat is gone. Called also while the reader is not live. */
  onDeleted(): void;
}

export interface TopicOptions {
  /** How long to wait for a number that was overtaken by a later one, in milliseconds, before it is fetched. */
  stragglerMs: number;
  /** How much of the newest messages is kept for readers who are only a little behind, in characters of text. */
  recentChars: number;
  /** Messages fetched at once when some are missing. */
  pageSize: number;
}

interface Deps {
  fetch: (afterSeq: number, limit: number) => Promise<ChangesPage | undefined>;
  onFetchError: (error: unknown) => void;
}

/** Counts for a message beside its text, so that a chat of tiny messages is bounded too. */
const messageOverheadChars = 200;

/** More than these are not kept while an earlier number is missing: they can be fetched together with it. */
const maxEarly = 1_000;

/**
 * One chat on this node: turns what the bus brings, late, doubled or never, into every change once, in order, for each
 * reader that is live.
 */
export class Topic {
  readonly #options: TopicOptions;
  readonly #deps: Deps;
  readonly #readers = new Set<TopicReader>();
  readonly #live = new Set<TopicReader>();
  /** Came too early, by number. */
  readonly #early = new Map<number, Message>();
  #recent: Message[] = [];
  #recentChars = 0;
  /** `#recent` holds everything after this number. */
  #recentAfter: number;
  #head: number;
  /** The chat is known to have come this far. */
  #knownHead: number;
  #straggler: NodeJS.Timeout | undefined;
  #repairing: Promise<void> | undefined;
  #ended = false;
  #deleted = false;

  constructor(head: number, deps: Deps, options: TopicOptions) {
    this.#head = head;
    this.#knownHead = head;
    this.#recentAfter = head;
    this.#deps = deps;
    this.#options = options;
  }

  /** The number of the last change that live readers were given. */
  get head(): number {
    return this.#head;
  }

  /** The chat is gone: nothing will come any more. */
  get deleted(): boolean {
    return this.#deleted;
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

  /** Everything after a number up to the head, if that is still in memory. */
  since(seq: number): readonly Message[] | undefined {
    if (seq >= this.#head) return [];
    if (seq < this.#recentAfter) return undefined;
    const first = this.#recent.findIndex(({ updateSeq }) => updateSeq > seq);
    return first < 0 ? [] : this.#recent.slice(first);
  }

  receive(publication: ChatPublication): void {
    if (this.#ended) return;
    if (publication.kind === 'deleted') return this.end();
    if (publication.kind === 'ephemeral') return this.#pass(publication);
    if (publication.kind === 'head') {
      this.#knownHead = Math.max(this.#knownHead, publication.seq);
    } else {
      this.#receiveMessages(publication.messages);
    }
    if (this.#knownHead > this.#head) this.#awaitStragglers();
  }

  /** Fetches whatever the readers have not been given; does nothing if that is under way. */
  repair(): Promise<void> {
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

  stop(): void {
    this.#ended = true;
    clearTimeout(this.#straggler);
  }

  #pass({ event, onlyTo }: Extract<ChatPublication, { kind: 'ephemeral' }>): void {
    for (const reader of this.#live)
      if (onlyTo === undefined || reader.userId === onlyTo) reader.onEphemeralEvent(event);
  }

  #receiveMessages(messages: readonly Message[]): void {
    const last = messages.at(-1);
    if (!last) return;
    this.#knownHead = Math.max(this.#knownHead, last.updateSeq);
    // What almost always happens: the batch is the next one, and all readers can share the very array.
    if (this.#early.size === 0 && messages[0]?.updateSeq === this.#head + 1 && isContiguous(messages)) {
      return this.#deliver(messages);
    }
    for (const message of messages) {
      if (message.updateSeq > this.#head && this.#early.size < maxEarly) this.#early.set(message.updateSeq, message);
    }
    // While a fetch is under way its rows come first: they may leave out numbers that were changed since.
    if (!this.#repairing) this.#deliverEarly();
  }

  #deliverEarly(): void {
    const next: Message[] = [];
    for (let seq = this.#head + 1; this.#early.has(seq); seq += 1) {
      next.push(this.#early.get(seq)!);
      this.#early.delete(seq);
    }
    if (next.length > 0) this.#deliver(next);
  }

  #deliver(messages: readonly Message[]): void {
    this.#head = messages.at(-1)!.updateSeq;
    this.#remember(messages);
    for (const message of messages) {
      const ended = message.system && endedMembership(message);
      if (!ended) continue;
      for (const reader of this.#readers) {
        if (reader.userId === ended.userId && !this.#live.has(reader)) reader.onMembershipEnded(message);
      }
    }
    for (const reader of this.#live) reader.onMessages(messages);
  }

  #remember(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#recent.push(message);
      this.#recentChars += message.text.length + messageOverheadChars;
    }
    let dropped = 0;
    while (this.#recentChars > this.#options.recentChars) {
      const { text, updateSeq } = this.#recent[dropped]!;
      this.#recentChars -= text.length + messageOverheadChars;
      this.#recentAfter = updateSeq;
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
      const page = await this.#deps.fetch(this.#head, this.#options.pageSize);
      if (this.#ended) return;
      if (!page) return this.end();
      hasMore = page.hasMore;
      // Live delivery may have come further in the meantime.
      const missing = page.messages.filter(({ updateSeq }) => updateSeq > this.#head);
      if (missing.length > 0) this.#deliver(missing);
      if (!hasMore && page.lastSeq > this.#head) this.#head = page.lastSeq;
      for (const seq of this.#early.keys()) if (seq <= this.#head) this.#early.delete(seq);
      this.#deliverEarly();
    }
    // The chat may have gone on since the last page was read; whoever said so meanwhile was told that a repair is under way.
    if (this.#knownHead > this.#head && !this.#ended) this.#awaitStragglers();
  }
}

function isContiguous(messages: readonly Message[]): boolean {
  return messages.at(-1)!.updateSeq - messages[0]!.updateSeq === messages.length - 1;
}
