interface Mark {
  position: number;
  /** On the clock of `performance.now()`. */
  reachedAt: number;
}

/** Remembers when positions were reached, roughly, to tell which one was reached long enough ago. */
export class TrimMarks {
  readonly #keepMs: number;
  readonly #marks: Mark[] = [];

  /** `keepMs`: how long an entry stays after it has been written. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  reached(position: number, now = performance.now()): void {
    const last = this.#marks.at(-1);
    // A mark for each tenth of the time is exact enough, and few.
    if (last && now - last.reachedAt < this.#keepMs / 10) return;
    this.#marks.push({ position, reachedAt: now });
  }

  /** The highest position that was reached long enough ago, once; undefined if there is none. */
  takeDue(now = performance.now()): number | undefined {
    const due = this.#marks.findLastIndex(({ reachedAt }) => now - reachedAt >= this.#keepMs);
    return this.#marks.splice(0, due + 1).at(-1)?.position;
  }
}
