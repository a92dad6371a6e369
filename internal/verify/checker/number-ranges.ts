/** A set of whole numbers as ranges, for those of which there are few. */
export class NumberRanges {
  readonly #ranges: { from: number; to: number }[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Adds all numbers of a range; none of them may be there yet. */
  add(from: number, to: number): void {
    if (from <= to) this.#ranges.push({ from, to });
  }

  has(value: number): boolean {
    return this.#ranges.some(({ from, to }) => from <= value && value <= to);
  }

  /** Takes a number out; returns whether it was there. */
  delete(value: number): boolean {
    const i = this.#ranges.findIndex(({ from, to }) => from <= value && value <= to);
    if (i < 0) return false;
    const { from, to } = this.#ranges[i]!;
    this.#ranges.splice(i, 1);
    this.add(from, value - 1);
    this.add(value + 1, to);
    return true;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const { from, to } of this.#ranges) for (let value = from; value <= to; value += 1) yield value;
  }
}
