/**
 * Spreads work over turns of the event loop: what comes after the budget of a turn is spent waits for a later one, in order. Between, others
 * are read from and written to.
 */
export class TurnBudget {
  readonly #budgetMs: number;
  #waiting: (() => void)[] = [];
  #spentMs = 0;
  #scheduled = false;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
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
    // Timers come once a turn, after it has looked at all sockets; an immediate would come before.
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
    }, 5).unref();
  }
}
