import { createInterface, type Interface } from 'node:readline';
import type { InputEnd, Screen } from './screen.ts';

/** A screen for pipes and files: lines in, lines out. */
export class PipeScreen implements Screen {
  readonly interactive = false;
  readonly #input: NodeJS.ReadableStream;
  readonly #output: NodeJS.WritableStream;
  #lines: Interface | undefined;

  constructor(input: NodeJS.ReadableStream, output: NodeJS.WritableStream) {
    this.#input = input;
    this.#output = output;
  }

  print(lines: string): void {
    this.#output.write(`${lines}\n`);
  }

  setPrompt(): void {}

  onTyped(): void {}

  async ask(): Promise<undefined> {}

  async read(take: (line: string) => Promise<void>): Promise<InputEnd> {
    this.#lines = createInterface({ input: this.#input, terminal: false, crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of this.#lines) await take(line);
    return 'end';
  }

  eraseTyped(): void {}

  close(): void {
    this.#lines?.close();
  }
}
