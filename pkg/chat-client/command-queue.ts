import type { Command } from '../api/chat/v1/chat.ts';

/** Stays below what a service accepts in a frame unless it is configured to be very strict. */
const maxCommands = 64;
const maxTextChars = 128 * 1_024;

/** Commands on their way into a stream: what is pushed in one turn of the event loop goes in one frame. */
export class CommandQueue {
  readonly #signal: AbortSignal;
  readonly #commands: Command[] = [];
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  push(command: Command): void {
    this.#commands.push(command);
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake) setTimeout(wake, 0);
  }

  /** Frames of commands, until the signal aborts. To be iterated once. */
  async *frames(): AsyncGenerator<{ commands: Command[] }> {
    while (!this.#signal.aborted) {
      if (this.#commands.length > 0) {
        yield { commands: this.#commands.splice(0, this.#frameLength()) };
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #frameLength(): number {
    let chars = 0;
    let count = 0;
    for (const { command } of this.#commands) {
      chars += command?.$case === 'sendMessage' ? command.value.text.length : 0;
      if (count === maxCommands || (count > 0 && chars > maxTextChars)) break;
      count += 1;
    }
    return count;
  }
}
