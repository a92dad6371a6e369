/**
 * Spreads work over time: what comes after the budget of a turn is spent waits for a later turn, in order. Between, others are read from and
 * written to.
 */
export class TurnBudget {
  readonly #budgetMs: number;
  readonly #turnMs: number;
  #waiting: (() => void)[] = [];
  #spentMs = 0;
  #scheduled = false;

  /** So many milliseconds of every so many may be spent. */
  constructor({ budgetMs, turnMs }: { budgetMs: number; turnMs: number }) {
    this.#budgetMs = budgetMs;
    this.#turnMs = turnMs;
  }

  /** Does it at once, or in a later turn. It must not throw. */
  run(work: () => void): void {
    if (this.#spentMs < this.#budgetMs && this.#waiting.length === 0) this.#do(work);
    else this.#waiting.push(work);
    this.#nextTurn();
  }

  #do(work: () => void): void {
    const begun = performance.now();
    work();
    this.#spentMs += performance.now() - begun;
  }

  #nextTurn(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#spentMs = 0;
      let done = 0;
      while (done < this.#waiting.length && this.#spentMs < this.#budgetMs) {
        this.#do(this.#waiting[done]!);
        done += 1;
      }
      this.#waiting = this.#waiting.slice(done);
      if (this.#waiting.length > 0) this.#nextTurn();
    }, this.#turnMs).unref();
  }
}
