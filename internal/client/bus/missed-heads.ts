/** Remembers, for chats whose publications could not be sent, the last number, so that a `head` can be published later. */
export class MissedHeads {
  readonly #heads = new Map<string, number>();
  readonly #maxTopics: number;

  /** Remembers at most `maxTopics` topics. Other nodes find the rest when they compare themselves with the database. */
  constructor(maxTopics: number) {
    this.#maxTopics = maxTopics;
  }

  /** Remembers the topic's last number; does nothing without one, as for ephemeral events. */
  add(topic: string, seq: number | undefined): void {
    if (seq === undefined) return;
    const known = this.#heads.get(topic);
    if (known === undefined && this.#heads.size >= this.#maxTopics) return;
    this.#heads.set(topic, Math.max(seq, known ?? 0));
  }

  /** Removes and returns up to `count` heads. */
  take(count: number): { topic: string; seq: number }[] {
    const taken = [...this.#heads.entries().take(count)].map(([topic, seq]) => ({ topic, seq }));
    for (const { topic } of taken) this.#heads.delete(topic);
    return taken;
  }
}
