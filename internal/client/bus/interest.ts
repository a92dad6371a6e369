/** The subscribers on this node, by topic. */
export class Interest<T> {
  readonly #handlers = new Map<string, Set<(value: T) => void>>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #lingerMs: number;
  readonly #onLeave: (topic: string) => void;

  /** Calls `onLeave` for a topic that has had no subscriber for `lingerMs`. Until then the broker's subscription stays. */
  constructor(lingerMs: number, onLeave: (topic: string) => void) {
    this.#lingerMs = lingerMs;
    this.#onLeave = onLeave;
  }

  /** Every topic with a subscription at the broker, including those that have lost their last subscriber less than `lingerMs` ago. */
  get topics(): string[] {
    return [...this.#handlers.keys()];
  }

  call(topic: string, value: T): void {
    for (const handler of this.#handlers.get(topic) ?? []) handler(value);
  }

  /** Adds a subscriber. Returns true if the topic needs a new subscription at the broker. */
  add(topic: string, handler: (value: T) => void): boolean {
    clearTimeout(this.#leaving.get(topic));
    this.#leaving.delete(topic);
    const handlers = this.#handlers.get(topic);
    if (!handlers) this.#handlers.set(topic, new Set([handler]));
    else handlers.add(handler);
    return !handlers;
  }

  /** Removes a subscriber. Idempotent. */
  remove(topic: string, handler: (value: T) => void): void {
    const handlers = this.#handlers.get(topic);
    if (!handlers?.delete(handler) || handlers.size > 0) return;
    const timer = setTimeout(() => {
      this.#leaving.delete(topic);
      this.#handlers.delete(topic);
      this.#onLeave(topic);
    }, this.#lingerMs);
    timer.unref();
    this.#leaving.set(topic, timer);
  }

  close(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    this.#handlers.clear();
  }
}
