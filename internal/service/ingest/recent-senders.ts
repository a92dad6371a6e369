import type { NewMessage } from '../../repository/message-repository.ts';

export interface RecentSendersOptions {
  /** How many are remembered. */
  max: number;
  /** For how long, in milliseconds. */
  rememberMs: number;
}

/** Who was found to be allowed to send to which chat not long ago: it decides while the database cannot be asked. */
export class RecentSenders {
  readonly #options: RecentSendersOptions;
  /** When each is forgotten, on the clock of `performance.now()`; the oldest first. */
  readonly #allowed = new Map<string, number>();

  constructor(options: RecentSendersOptions) {
    this.#options = options;
  }

  remember(message: NewMessage): void {
    const key = keyOf(message);
    // To the end: the order is that of the last checks.
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

  has(message: NewMessage): boolean {
    return (this.#allowed.get(keyOf(message)) ?? 0) > performance.now();
  }
}

function keyOf({ chatId, sender, asService = false }: NewMessage): string {
  return `${chatId} ${asService} ${sender.id}`;
}
