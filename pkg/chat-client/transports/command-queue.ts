import type { Command, Limits } from '../../api/chat/v1/chat.ts';
import { charsOf } from './chars-of.ts';

/** The most that one frame holds, even if the service accepts more, so that other answers do not wait long behind it. */
const maxCommands = 64;
const maxChars = 128 * 1_024;

/** The most bytes that one character becomes in any encoding, with room for what surrounds it. */
const bytesPerChar = 8;

/** Counted for each command besides its strings. */
const charsPerCommand = 64;

/** Commands on their way into a stream: what is pushed in one turn of the event loop goes in one frame. */
export class CommandQueue {
  readonly #signal: AbortSignal;
  readonly #commands: Command[] = [];
  #maxCommands = maxCommands;
  #maxChars = maxChars;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** Frames stay within the service's limits from now on. A command that is too big by itself goes alone, to be refused. */
  obey(limits: Limits | undefined): void {
    if (!limits) return;
    this.#maxCommands = Math.min(maxCommands, limits.maxCommandsPerFrame || maxCommands);
    this.#maxChars = Math.min(maxChars, limits.maxFrameBytes / bytesPerChar || maxChars);
  }

  push(command: Command): void {
    if (this.#signal.aborted) return;
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
    for (const command of this.#commands) {
      chars += charsPerCommand + charsOf(command);
      if (count === this.#maxCommands || (count > 0 && chars > this.#maxChars)) break;
      count += 1;
    }
    return count;
  }
}
