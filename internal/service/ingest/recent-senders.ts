import type { NewMessage } from '../../repository/message-repository.ts';

export interface RecentSendersOptions {
  /** The number of senders and chats that are remembered. */
  max: number;
  /** How long each is remembered, in milliseconds. */
  rememberMs: number;
}

/** Remembers which users were allowed to send to which chats at their last check. It decides while the database is away. */
export class RecentSenders {
  readonly #options: RecentSendersOptions;
  /** When each pair of chat and sender expires, on the clock of `performance.now()`. The oldest is first. */
  readonly #allowed = new Map<string, number>();

  constructor(options: RecentSendersOptions) {
    this.#options = options;
  }

  remember(message: NewMessage): void {
    const key = keyOf(message);
    // Deleted first, so that it moves to the end of the map.
    this.#allowed.delete(key);
    this.#allowed.set(key, performance.now() + this.#options.rememberMs);
    for (const oldest of this.#allowed.keys()) {
      if (this.#allowed.size <= this.#options.max) return;
      this.#allowed.delete(oldest);
    }
  }

  forget(message: NewMessage): void {
    this.#allowed.delete(keyOf(message));
  }

  forgetAll(): void {
    this.#allowed.clear();
  }

  has(message: NewMessage): boolean {
    return (this.#allowed.get(keyOf(message)) ?? 0) > performance.now();
  }
}

function keyOf({ chatId, sender, asService = false }: NewMessage): string {
  return `${chatId} ${asService} ${sender.id}`;
}
