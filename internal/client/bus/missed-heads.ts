/** What could not be published, as far as others should learn of it later: that a chat has come to a number. */
export class MissedHeads {
  readonly #heads = new Map<string, number>();
  readonly #maxTopics: number;

  /** Beyond so many topics the rest is left to the comparison with the database. */
  constructor(maxTopics: number) {
    this.#maxTopics = maxTopics;
  }

  /** Without a number there is nothing to tell. */
  add(topic: string, seq: number | undefined): void {
    if (seq === undefined) return;
    const known = this.#heads.get(topic);
    if (known === undefined && this.#heads.size >= this.#maxTopics) return;
    this.#heads.set(topic, Math.max(seq, known ?? 0));
  }

  /** At most so many of them, which are forgotten. */
  take(count: number): { topic: string; seq: number }[] {
    const taken = [...this.#heads.entries().take(count)].map(([topic, seq]) => ({ topic, seq }));
    for (const { topic } of taken) this.#heads.delete(topic);
    return taken;
  }
}
