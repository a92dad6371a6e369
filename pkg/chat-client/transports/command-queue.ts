import type { Command, Limits } from '../../api/chat/v1/chat.ts';
import { charsOf } from './chars-of.ts';

/** Upper limits of a frame, even if the service accepts more, so that one large frame does not delay other answers. */
const maxCommands = 64;
const maxChars = 128 * 1_024;

/** Upper bound of the bytes for one character in any encoding, with room for the rest of the command. */
const bytesPerChar = 8;

/** Characters counted for each command in addition to its strings. */
const charsPerCommand = 64;

/** Queues the commands of a stream. Commands that are pushed in one turn of the event loop share a frame. */
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

  /** Keeps frames within these limits from now on. A command that exceeds them by itself is sent alone, and the service refuses it. */
  obey(limits: Limits | undefined): void {
    if (!limits) return;
    this.#maxCommands = Math.min(maxCommands, limits.maxCommandsPerFrame || maxCommands);
    this.#maxChars = Math.min(maxChars, limits.maxFrameBytes / bytesPerChar || maxChars);
  }

  /** Queues a command. Does nothing once the signal has aborted. */
  push(command: Command): void {
    if (this.#signal.aborted) return;
    this.#commands.push(command);
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake) setTimeout(wake, 0);
  }

  /** Yields frames of commands until the signal aborts. Iterate it only once. */
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
