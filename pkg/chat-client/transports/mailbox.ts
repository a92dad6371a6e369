/** Values from those who push them to one reader, in order. It holds what has not been read; the reader is expected to keep up. */
export class Mailbox<T> implements AsyncIterable<T> {
  #values: T[] = [];
  #end: { error?: Error } | undefined;
  #wake: (() => void) | undefined;

  push(value: T): void {
    if (this.#end) return;
    this.#values.push(value);
    this.#wake?.();
  }

  /** The reader gets what is there still, then the error, if there is one. The first call counts. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** To be iterated once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const values = this.#values;
      this.#values = [];
      yield* values;
      if (this.#values.length > 0) continue;
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
