import type { Message, MessagePart } from '../../api/chat/v1/chat.ts';
import { extend, update } from './newest-states.ts';

/** The buffer drops its messages if the reader falls behind by more than this many. */
const maxMessages = 1_000;

/**
 * Live messages that the reader has not taken yet. If there are too many, or if some may be missing, the buffer breaks: it drops all messages
 * and accepts none until `begin`.
 */
export class LiveBuffer {
  #messages: Message[] = [];
  #broken = false;
  #wake: (() => void) | undefined;

  /** Whether the buffer has dropped messages since `begin`. */
  get broken(): boolean {
    return this.#broken;
  }

  push(message: Message): void {
    if (this.#broken) return;
    if (this.#messages.length >= maxMessages) return this.breakOff();
    this.#messages.push(message);
    this.wake();
  }

  /** Handles a change of a message: if it waits here, the reader gets its new state, or nothing if it is hidden. */
  update(changed: Message): void {
    update(this.#messages, changed);
  }

  /** Handles that a message has grown, which may wait here. */
  extend(part: MessagePart): void {
    extend(this.#messages, part);
  }

  take(): Message | undefined {
    return this.#messages.shift();
  }

  /** Drops all messages and accepts none until `begin`. */
  breakOff(): void {
    this.#messages = [];
    this.#broken = true;
    this.wake();
  }

  /** Accepts messages from now on. */
  begin(): void {
    this.#broken = false;
  }

  /** Resolves at the next `push`, `breakOff` or `wake`. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Resolves a pending `change`. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
