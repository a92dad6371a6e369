import type { Span } from 'opentracing';
import type { Receipt } from '../../model/message.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { repetitionKey } from './repetition-key.ts';

/** A message on its way to be committed, and whoever waits for it. */
export interface WriteEntry {
  message: NewMessage;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** On the clock of `performance.now()`. */
  giveUpAt: number;
  /** On whose behalf it is written, if that is traced. */
  span?: Span;
}

/** At most this many messages of one chat go into a batch while others wait. */
const maxPerTurn = 128;

/**
 * Messages waiting to be committed, first come first served among the chats and strictly in order within each. A chat with
 * messages in a batch that was taken is closed until the batch is released.
 */
export class WriteQueue {
  readonly #waiting = new Map<string, WriteEntry[]>();
  readonly #closed = new Set<string>();
  /** Chats that are open and have messages waiting, in the order of their turn. */
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

  /** Takes up to `limit` messages and closes their chats. No message is in it twice. */
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
    for (const { message } of batch) {
      if (this.#closed.delete(message.chatId) && this.#waiting.has(message.chatId)) this.#ready.add(message.chatId);
    }
  }

  /** False if the message is not waiting any more. */
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

  /** Takes out every message that has waited too long. */
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

/** How many from the start can be taken before one that the batch has already: the same message sent twice at once. */
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
