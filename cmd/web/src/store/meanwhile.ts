/**
 * Remembers what happens while a state is being read. The answer may be older than that, so the reader applies it again on top of the answer. It
 * remembers nothing while nothing is being read.
 */
export class Meanwhile<Happening> {
  readonly #reads = new Set<Happening[]>();

  happened(what: Happening): void {
    for (const read of this.#reads) read.push(what);
  }

  /** Reads, and calls `apply` with the answer and with everything that happened since the call, in its order. Throws what `read` throws. */
  async during<Answer>(
    read: () => Promise<Answer>,
    apply: (answer: Answer, happened: readonly Happening[]) => void,
  ): Promise<void> {
    const happened: Happening[] = [];
    this.#reads.add(happened);
    const answer = await read().finally(() => this.#reads.delete(happened));
    apply(answer, happened);
  }
}
