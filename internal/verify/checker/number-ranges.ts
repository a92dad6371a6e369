/** A set of whole numbers, kept as ranges; meant for few ranges. */
export class NumberRanges {
  readonly #ranges: { from: number; to: number }[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Adds all numbers from `from` to `to`; none of them may be in the set yet. */
  add(from: number, to: number): void {
    if (from <= to) this.#ranges.push({ from, to });
  }

  has(value: number): boolean {
    return this.#ranges.some(({ from, to }) => from <= value && value <= to);
  }

  /** Removes a number; returns whether it was in the set. */
  delete(value: number): boolean {
    const i = this.#ranges.findIndex(({ from, to }) => from <= value && value <= to);
    if (i < 0) return false;
    const { from, to } = this.#ranges[i]!;
    this.#ranges.splice(i, 1);
    this.add(from, value - 1);
    this.add(value + 1, to);
    return true;
  }

  /** Removes all numbers greater than `last`. */
  deleteAfter(last: number): void {
    for (const { from, to } of this.#ranges.splice(0)) this.add(from, Math.min(to, last));
  }

  *[Symbol.iterator](): Generator<number> {
    for (const { from, to } of this.#ranges) for (let value = from; value <= to; value += 1) yield value;
  }
}
