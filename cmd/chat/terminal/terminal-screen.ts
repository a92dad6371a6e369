import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { InputEnd, Screen } from './screen.ts';

/** Completions for the end of a line. */
export interface Completion {
  /** The part of the line to replace; each hit begins with it. */
  part: string;
  hits: string[];
}

export interface TerminalScreenOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** Finds completions for the line that is being typed. */
  complete?: (line: string) => Promise<Completion>;
}

/**
 * A screen for a person at a terminal: a prompt at the bottom, the output above it. To print, it clears the line that is being typed, which
 * may take several rows, and draws it again below the output.
 */
export class TerminalScreen implements Screen {
  readonly interactive = true;
  readonly #output: NodeJS.WriteStream;
  readonly #readline: Interface;
  readonly #early: string[] = [];
  readonly #inputEnd = Promise.withResolvers<InputEnd>();
  #take: ((line: string) => void) | undefined;
  #onTyped: (line: string) => void = () => {};
  #promptShown = false;
  /** Rows of the line that was entered last, minus one. */
  #typedRows = 0;
  #closed = false;

  constructor({ input, output, complete }: TerminalScreenOptions) {
    this.#output = output;
    this.#readline = createInterface({
      input,
      output,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        const completing = complete?.(line) ?? Promise.resolve({ part: line, hits: [] });
        void completing.then(({ part, hits }) => done(null, [hits, part]));
      },
      removeHistoryDuplicates: true,
    });
    // While completion is off, as during a paste, readline miscounts the rows of the line.
    Object.defineProperty(this.#readline, 'isCompletionEnabled', { get: () => true, set: () => {} });
    this.#readline.setPrompt('');
    this.#readline.on('line', (line) => this.#entered(line));
    this.#readline.on('SIGINT', () => this.#inputEnd.resolve('interrupt'));
    this.#readline.on('close', () => {
      this.#leaveForGood();
      this.#inputEnd.resolve('end');
    });
    // Must run before readline handles the key: afterwards the line and its height are lost.
    input.prependListener('keypress', (_text, key: { name?: string } | undefined) => {
      if (this.#closed || (key?.name !== 'return' && key?.name !== 'enter')) return;
      this.#readline.write(null, { ctrl: true, name: 'e' });
      this.#typedRows = this.#readline.getCursorPos().rows;
    });
    input.on('keypress', () => this.#onTyped(this.#readline.line));
    // The terminal was closed.
    input.on('error', () => this.#inputEnd.resolve('end'));
  }

  print(lines: string): void {
    this.#draw(() => {
      this.#output.write(`${lines}\n`);
    });
  }

  setPrompt(prompt: string): void {
    if (prompt === this.#readline.getPrompt()) return;
    this.#draw(() => this.#readline.setPrompt(prompt));
  }

  onTyped(listener: (line: string) => void): void {
    this.#onTyped = listener;
  }

  async ask(question: string): Promise<string | undefined> {
    const answer = Promise.withResolvers<string | undefined>();
    this.#take = (line) => {
      this.#take = undefined;
      this.#readline.setPrompt('');
      answer.resolve(line);
    };
    this.#showPrompt(question);
    return Promise.race([answer.promise, this.#inputEnd.promise.then(() => undefined)]);
  }

  async read(take: (line: string) => Promise<void>): Promise<InputEnd> {
    this.#take = take;
    for (const line of this.#early.splice(0)) this.#entered(line);
    if (!this.#promptShown) this.#showPrompt();
    return this.#inputEnd.promise;
  }

  eraseTyped(): void {
    if (this.#promptShown) return;
    moveCursor(this.#output, 0, -this.#typedRows - 1);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#typedRows = -1;
  }

  close(): void {
    this.#readline.close();
  }

  #entered(line: string): void {
    this.#promptShown = false;
    const take = this.#take;
    if (!take) {
      this.#early.push(line);
      return;
    }
    take(line);
    if (!this.#promptShown) this.#showPrompt();
  }

  #showPrompt(prompt = this.#readline.getPrompt()): void {
    if (this.#closed) return;
    this.#readline.setPrompt(prompt);
    this.#readline.prompt(true);
    this.#promptShown = true;
  }

  /** Clears the prompt, makes the change in its place, and draws the prompt below it. */
  #draw(change: () => void): void {
    if (!this.#promptShown || this.#closed) return change();
    this.#output.cork();
    const rows = this.#leavePrompt();
    change();
    // Readline moves up by the number of rows that the cursor was below the first row of the prompt.
    this.#output.write('\n'.repeat(rows));
    this.#readline.prompt(true);
    this.#output.uncork();
  }

  /** Removes an empty prompt; keeps a line that was begun. */
  #leaveForGood(): void {
    this.#closed = true;
    if (!this.#promptShown) return;
    if (this.#readline.line === '') this.#leavePrompt();
    else this.#output.write('\n');
  }

  /** Clears the prompt and moves the cursor to its beginning. Returns how many rows that was. */
  #leavePrompt(): number {
    const { rows } = this.#readline.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    return rows;
  }
}
