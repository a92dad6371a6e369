import type { Message } from '../../api/chat/v1/chat.ts';

/** What a reader who falls behind by more than this is not kept. */
const maxMessages = 1_000;

/** Messages that have been heard and not read. When there are too many, or some may be missing, all are dropped, and none kept until it begins anew. */
export class LiveBuffer {
  #messages: Message[] = [];
  #broken = false;
  #wake: (() => void) | undefined;

  /** Whether messages have been dropped since it began. */
  get broken(): boolean {
    return this.#broken;
  }

  push(message: Message): void {
    if (this.#broken) return;
    if (this.#messages.length >= maxMessages) return this.breakOff();
    this.#messages.push(message);
    this.wake();
  }

  take(): Message | undefined {
    return this.#messages.shift();
  }

  breakOff(): void {
    this.#messages = [];
    this.#broken = true;
    this.wake();
  }

  /** Keeps messages from now on, if it does not do so already. */
  begin(): void {
    this.#broken = false;
  }

  /** Resolves when something has been pushed or dropped. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
