import { ChatError } from '../../../model/errors.ts';

interface Waiting<Key, Value> {
  key: Key;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Statements of one kind under way at the same time; those that come meanwhile collect. */
const maxInFlight = 2;
const maxBatch = 1_000;

/**
 * Makes one statement of many small ones: what is asked for in one turn of the event loop, or while earlier statements are under way, is asked
 * for together. Whoever asks alone is answered as soon as by a statement of their own; a thousand who come back at once cost a few.
 * Each answer is of a snapshot that was taken after the question.
 */
export class ReadBatch<Key, Value> {
  readonly #read: (keys: readonly Key[]) => Promise<readonly Value[]>;
  #waiting: Waiting<Key, Value>[] = [];
  #inFlight = 0;
  #scheduled = false;

  /** `read` answers in the order of the keys. */
  constructor(read: (keys: readonly Key[]) => Promise<readonly Value[]>) {
    this.#read = read;
  }

  /** Throws what the statement throws. */
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
      // One key may be what PostgreSQL cannot take: the others shall not pay for it.
      else for (const one of batch) await this.#run([one]);
    }
  }
}
