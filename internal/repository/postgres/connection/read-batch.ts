import { ChatError } from '../../../model/errors.ts';

interface Waiting<Key, Value> {
  key: Key;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Statements of one kind that run at the same time; questions that arrive meanwhile collect for the next one. */
const maxInFlight = 2;
const maxBatch = 1_000;

/**
 * Answers many small questions with one statement: those that arrive in one turn of the event loop, or while `maxInFlight` earlier statements
 * run, are asked together. A single question is answered as soon as by a statement of its own; a thousand sessions that start together cost a
 * few statements. Each answer is of a snapshot taken after its question.
 */
export class ReadBatch<Key, Value> {
  readonly #read: (keys: readonly Key[]) => Promise<readonly Value[]>;
  #waiting: Waiting<Key, Value>[] = [];
  #inFlight = 0;
  #scheduled = false;

  /** `read` returns its answers in the order of the keys. */
  constructor(read: (keys: readonly Key[]) => Promise<readonly Value[]>) {
    this.#read = read;
  }

  /** Throws the error of the statement. A key that makes a statement fail does not affect the other keys. */
  load(key: Key): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.#waiting.push({ key, resolve, reject });
    if (!this.#scheduled && this.#inFlight < maxInFlight) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#start();
      });
    }
    return promise;
  }

  #start(): void {
    while (this.#inFlight < maxInFlight && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      this.#inFlight += 1;
      void this.#run(batch).finally(() => {
        this.#inFlight -= 1;
        this.#start();
      });
    }
  }

  /** Settles all of the batch; never throws. */
  async #run(batch: readonly Waiting<Key, Value>[]): Promise<void> {
    try {
      const values = await this.#read(batch.map(({ key }) => key));
      for (const [i, { resolve }] of batch.entries()) resolve(values[i]!);
    } catch (error) {
      const unavailable = error instanceof ChatError && error.reason === 'STORAGE_UNAVAILABLE';
      if (unavailable || batch.length === 1) for (const { reject } of batch) reject(error);
      // One key may be invalid for PostgreSQL: each is asked alone, so that the others are answered.
      else for (const one of batch) await this.#run([one]);
    }
  }
}
