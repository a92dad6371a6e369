import type { Span } from 'opentracing';

/** What waits to be committed to a chat, and the functions that settle its `append`. */
export interface WriteEntry<Item, Receipt> {
  item: Item;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** When the item is refused, in milliseconds of `performance.now()`. */
  giveUpAt: number;
  /** The span of the call that writes it, if it is traced. */
  span?: Span;
  /** Whether an earlier attempt may have been committed without an answer. */
  maybeStored: boolean;
  /** How often its chat, whose first entry it was, had a pause because it was busy. */
  pauses: number;
}

/** The most entries that one chat puts into a batch before the next chat's turn. */
const maxPerTurn = 128;

/**
 * Queues what is to be committed to chats. Chats take turns in the order in which they came; entries of a chat keep their order. A chat with entries in a
 * taken batch is closed until `open`.
 */
export class WriteQueue<Item extends { chatId: string }, Receipt> {
  /** Two items with a key in common are never taken together. */
  readonly #keysOf: (item: Item) => readonly string[];
  readonly #waiting = new Map<string, WriteEntry<Item, Receipt>[]>();
  readonly #closed = new Set<string>();
  /** Open chats with waiting entries, in the order of their turns. */
  readonly #ready = new Set<string>();
  #size = 0;

  constructor(keysOf: (item: Item) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  get size(): number {
    return this.#size;
  }

  add(entry: WriteEntry<Item, Receipt>): void {
    const { chatId } = entry.item;
    const waiting = this.#waiting.get(chatId);
    if (waiting) waiting.push(entry);
    else this.#waiting.set(chatId, [entry]);
    if (!this.#closed.has(chatId)) this.#ready.add(chatId);
    this.#size += 1;
  }

  /** Takes up to `limit` entries and closes their chats. */
  take(limit: number): WriteEntry<Item, Receipt>[] {
    const batch: WriteEntry<Item, Receipt>[] = [];
    const keys = new Set<string>();
    const full = new Set<string>();
    while (batch.length < limit && this.#ready.size > full.size) {
      for (const chatId of this.#ready) {
        if (batch.length >= limit) break;
        if (full.has(chatId)) continue;
        const waiting = this.#waiting.get(chatId)!;
        const count = this.#countDistinct(waiting, Math.min(limit - batch.length, maxPerTurn), keys);
        for (const entry of waiting.splice(0, count)) batch.push(entry);
        this.#closed.add(chatId);
        if (waiting.length === 0) this.#forget(chatId);
        else if (count === 0) full.add(chatId);
      }
    }
    for (const { item } of batch) this.#ready.delete(item.chatId);
    this.#size -= batch.length;
    return batch;
  }

  /** Opens a closed chat. */
  open(chatId: string): void {
    if (this.#closed.delete(chatId) && this.#waiting.has(chatId)) this.#ready.add(chatId);
  }

  /** Puts taken entries of a closed chat back before those that wait. The chat stays closed. */
  putBack(chatId: string, entries: readonly WriteEntry<Item, Receipt>[]): void {
    if (entries.length === 0) return;
    this.#waiting.set(chatId, [...entries, ...(this.#waiting.get(chatId) ?? [])]);
    this.#size += entries.length;
  }

  /** Takes up to `limit` entries of a closed chat. The chat stays closed. */
  takeFrom(chatId: string, limit: number): WriteEntry<Item, Receipt>[] {
    const waiting = this.#waiting.get(chatId) ?? [];
    const batch = waiting.splice(0, this.#countDistinct(waiting, limit, new Set()));
    if (waiting.length === 0) this.#forget(chatId);
    this.#size -= batch.length;
    return batch;
  }

  /** Removes a waiting entry. Returns false if it no longer waits. */
  withdraw(entry: WriteEntry<Item, Receipt>): boolean {
    const { chatId } = entry.item;
    const waiting = this.#waiting.get(chatId);
    const index = waiting?.indexOf(entry) ?? -1;
    if (!waiting || index < 0) return false;
    waiting.splice(index, 1);
    this.#size -= 1;
    if (waiting.length === 0) this.#forget(chatId);
    return true;
  }

  /** Removes and returns every entry whose time is over at `now`. */
  takeExpired(now: number): WriteEntry<Item, Receipt>[] {
    const expired: WriteEntry<Item, Receipt>[] = [];
    for (const waiting of this.#waiting.values()) {
      for (const entry of waiting) if (entry.giveUpAt <= now) expired.push(entry);
    }
    return expired.filter((entry) => this.withdraw(entry));
  }

  #forget(chatId: string): void {
    this.#waiting.delete(chatId);
    this.#ready.delete(chatId);
  }

  /** Returns how many entries from the start can be taken before one that has a key in common with another one in the batch. */
  #countDistinct(waiting: readonly WriteEntry<Item, Receipt>[], limit: number, keys: Set<string>): number {
    let count = 0;
    for (const { item } of waiting) {
      if (count === limit) break;
      const own = this.#keysOf(item);
      if (own.some((key) => keys.has(key))) break;
      for (const key of own) keys.add(key);
      count += 1;
    }
    return count;
  }
}
