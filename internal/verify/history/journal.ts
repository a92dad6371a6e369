import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { HistoryRecord } from './history-record.ts';

/** Records what happens, in order: passes each record to a listener and writes it to a file as a line of JSON. */
export class Journal {
  readonly #listener: (record: HistoryRecord) => void;
  readonly #file: WriteStream | undefined;
  #failure: Error | undefined;
  records = 0;

  /** `file` is a path; an existing file is replaced. */
  constructor(listener: (record: HistoryRecord) => void, file?: string) {
    this.#listener = listener;
    this.#file = file === undefined ? undefined : createWriteStream(file);
    this.#file?.once('error', (error) => {
      this.#failure = error;
    });
  }

  /** The time now by the history's clock, in milliseconds. */
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
