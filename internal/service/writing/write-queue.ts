import type { Span } from 'opentracing';
import type { Receipt } from '../../model/message.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { repetitionKey } from './repetition-key.ts';

/** A message that waits to be committed, and the functions that settle its `append`. */
export interface WriteEntry {
  message: NewMessage;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** When the message is refused, in milliseconds of `performance.now()`. */
  giveUpAt: number;
  /** The span of the call that sends it, if it is traced. */
  span?: Span;
  /** Whether an earlier attempt may have been committed without an answer. */
  maybeStored: boolean;
  /** How often its chat, whose first message it was, had a pause because it was busy. */
  pauses: number;
}

/** The most messages that one chat puts into a batch before the next chat's turn. */
const maxPerTurn = 128;

/**
 * Queues messages to be committed. Chats take turns in the order in which they came; messages of a chat keep their order. A chat with messages in a
 * taken batch is closed until the batch is released.
 */
export class WriteQueue {
  readonly #waiting = new Map<string, WriteEntry[]>();
  readonly #closed = new Set<string>();
  /** Open chats with waiting messages, in the order of their turns. */
  readonly #ready = new Set<string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(entry: WriteEntry): void {
    const { chatId } = entry.message;
    const waiting = this.#waiting.get(chatId);
    if (waiting) waiting.push(entry);
    else this.#waiting.set(chatId, [entry]);
    if (!this.#closed.has(chatId)) this.#ready.add(chatId);
    this.#size += 1;
  }

  /** Takes up to `limit` messages and closes their chats. Never takes a message and its repetition together. */
  take(limit: number): WriteEntry[] {
    const batch: WriteEntry[] = [];
    const keys = new Set<string>();
    const full = new Set<string>();
    while (batch.length < limit && this.#ready.size > full.size) {
      for (const chatId of this.#ready) {
        if (batch.length >= limit) break;
        if (full.has(chatId)) continue;
        const waiting = this.#waiting.get(chatId)!;
        const count = countDistinct(waiting, Math.min(limit - batch.length, maxPerTurn), keys);
        for (const entry of waiting.splice(0, count)) batch.push(entry);
        this.#closed.add(chatId);
        if (waiting.length === 0) this.#forget(chatId);
        else if (count === 0) full.add(chatId);
      }
    }
    for (const { message } of batch) this.#ready.delete(message.chatId);
    this.#size -= batch.length;
    return batch;
  }

  /** Opens the batch's chats again. */
  release(batch: readonly WriteEntry[]): void {
    for (const { message } of batch) this.open(message.chatId);
  }

  /** Opens a closed chat. */
  open(chatId: string): void {
    if (this.#closed.delete(chatId) && this.#waiting.has(chatId)) this.#ready.add(chatId);
  }

  /** Puts taken messages of a closed chat back before those that wait. The chat stays closed. */
  putBack(chatId: string, entries: readonly WriteEntry[]): void {
    if (entries.length === 0) return;
    this.#waiting.set(chatId, [...entries, ...(this.#waiting.get(chatId) ?? [])]);
    this.#size += entries.length;
  }

  /** Takes up to `limit` messages of a closed chat. The chat stays closed. Never takes a message and its repetition together. */
  takeFrom(chatId: string, limit: number): WriteEntry[] {
    const waiting = this.#waiting.get(chatId) ?? [];
    const batch = waiting.splice(0, countDistinct(waiting, limit, new Set()));
    if (waiting.length === 0) this.#forget(chatId);
    this.#size -= batch.length;
    return batch;
  }

  /** Removes a waiting message. Returns false if it no longer waits. */
  withdraw(entry: WriteEntry): boolean {
    const { chatId } = entry.message;
    const waiting = this.#waiting.get(chatId);
    const index = waiting?.indexOf(entry) ?? -1;
    if (!waiting || index < 0) return false;
    waiting.splice(index, 1);
    this.#size -= 1;
    if (waiting.length === 0) this.#forget(chatId);
    return true;
  }

  /** Removes and returns every message whose time is over at `now`. */
  takeExpired(now: number): WriteEntry[] {
    const expired: WriteEntry[] = [];
    for (const waiting of this.#waiting.values()) {
      for (const entry of waiting) if (entry.giveUpAt <= now) expired.push(entry);
    }
    return expired.filter((entry) => this.withdraw(entry));
  }

  #forget(chatId: string): void {
    this.#waiting.delete(chatId);
    this.#ready.delete(chatId);
  }
}

/** Returns how many messages from the start can be taken before a repetition of one in the batch, as when a client sends a message twice at once. */
function countDistinct(waiting: readonly WriteEntry[], limit: number, keys: Set<string>): number {
  let count = 0;
  for (const { message } of waiting) {
    if (count === limit) break;
    const key = repetitionKey(message);
    if (keys.has(key)) break;
    keys.add(key);
    count += 1;
  }
  return count;
}
