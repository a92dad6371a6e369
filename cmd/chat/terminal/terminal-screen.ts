import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { InputEnd, Screen } from './screen.ts';

/** What the end of a line can be completed to. */
export interface Completion {
  /** The part that is replaced: each hit begins with it. */
  part: string;
  hits: string[];
}

export interface TerminalScreenOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** What the line that is typed can be completed to. */
  complete?: (line: string) => Promise<Completion>;
}

/**
 * A person at a terminal: a prompt at the bottom, everything else above it. The line being typed, which may go over several
 * rows, is taken away and drawn anew around whatever is printed.
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
  /** Rows of the line that was entered last, less one. */
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
    // While it is off, as during a paste, readline loses count of the rows that a line takes.
    Object.defineProperty(this.#readline, 'isCompletionEnabled', { get: () => true, set: () => {} });
    this.#readline.setPrompt('');
    this.#readline.on('line', (line) => this.#entered(line));
    this.#readline.on('SIGINT', () => this.#inputEnd.resolve('interrupt'));
    this.#readline.on('close', () => {
      this.#leaveForGood();
      this.#inputEnd.resolve('end');
    });
    // Before readline itself sees the key: afterwards the line and its height are gone.
    input.prependListener('keypress', (_text, key: { name?: string } | undefined) => {
      if (this.#closed || (key?.name !== 'return' && key?.name !== 'enter')) return;
      this.#readline.write(null, { ctrl: true, name: 'e' });
      this.#typedRows = this.#readline.getCursorPos().rows;
    });
    input.on('keypress', () => this.#onTyped(this.#readline.line));
    // The terminal has been closed.
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

  /** Carries out the change where the prompt begins, and draws the prompt below. */
  #draw(change: () => void): void {
    if (!this.#promptShown || this.#closed) return change();
    this.#output.cork();
    const rows = this.#leavePrompt();
    change();
    // Readline goes up again by as many rows as the cursor was below the prompt's first.
    this.#output.write('\n'.repeat(rows));
    this.#readline.prompt(true);
    this.#output.uncork();
  }

  /** An empty prompt goes; a line begun stays to be seen. */
  #leaveForGood(): void {
    this.#closed = true;
    if (!this.#promptShown) return;
    if (this.#readline.line === '') this.#leavePrompt();
    else this.#output.write('\n');
  }

  /** Clears the prompt and goes to where it began. */
  #leavePrompt(): number {
    const { rows } = this.#readline.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    return rows;
  }
}
