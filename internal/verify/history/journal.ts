import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { HistoryRecord } from './history-record.ts';

/** Takes down what happens, in the order in which it does: for a listener, and as lines of JSON in a file. */
export class Journal {
  readonly #listener: (record: HistoryRecord) => void;
  readonly #file: WriteStream | undefined;
  #failure: Error | undefined;
  records = 0;

  /** `file`: a path; replaced if it is there. */
  constructor(listener: (record: HistoryRecord) => void, file?: string) {
    this.#listener = listener;
    this.#file = file === undefined ? undefined : createWriteStream(file);
    this.#file?.once('error', (error) => {
      this.#failure = error;
    });
  }

  /** The time of the history, in milliseconds. */
  now(): number {
    return performance.now();
  }

  add(record: HistoryRecord): void {
    this.records += 1;
    this.#listener(record);
    this.#file?.write(`${JSON.stringify(record)}\n`);
  }

  /** Resolves when the file is complete. Throws if it could not be written. */
  async close(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (!this.#file) return;
    this.#file.end();
    await once(this.#file, 'close');
  }
}
