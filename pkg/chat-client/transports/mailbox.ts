/** An unbounded queue of values for one reader. It has no backpressure: the reader must keep up. */
export class Mailbox<T> implements AsyncIterable<T> {
  #values: T[] = [];
  #end: { error?: Error } | undefined;
  #wake: (() => void) | undefined;

  push(value: T): void {
    if (this.#end) return;
    this.#values.push(value);
    this.#wake?.();
  }

  /** Ends the queue. The reader still receives the queued values, then the error, if given. Only the first call has an effect. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** Iterate it only once. */
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
