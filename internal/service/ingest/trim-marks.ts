interface Mark {
  position: number;
  /** On the clock of `performance.now()`. */
  reachedAt: number;
}

/** Remembers roughly when the writer reached which position, and finds the entries that were written long enough ago to be removed from the log. */
export class TrimMarks {
  readonly #keepMs: number;
  readonly #marks: Mark[] = [];

  /** `keepMs`: how long an entry stays in the log after it has been written, in milliseconds. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  reached(position: number, now = performance.now()): void {
    const last = this.#marks.at(-1);
    // Ten marks for each `keepMs` are exact enough.
    if (last && now - last.reachedAt < this.#keepMs / 10) return;
    this.#marks.push({ position, reachedAt: now });
  }

  /** The highest position that was reached long enough ago. Returns each mark once, and undefined if none is due. */
  takeDue(now = performance.now()): number | undefined {
    const due = this.#marks.findLastIndex(({ reachedAt }) => now - reachedAt >= this.#keepMs);
    return this.#marks.splice(0, due + 1).at(-1)?.position;
  }
}
