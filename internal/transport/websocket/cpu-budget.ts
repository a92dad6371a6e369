export interface TurnBudgetOptions {
  /** So many milliseconds … */
  budgetMs: number;
  /** … of every so many may be spent. */
  turnMs: number;
  /** What may wait for later turns. */
  maxWaiting: number;
}

/**
 * Spreads work over time: what comes after the budget of a turn is spent waits for a later turn, in order. Between, others are read from and
 * written to.
 */
export class CpuBudget {
  readonly #options: TurnBudgetOptions;
  readonly #waiting = new Set<() => void>();
  #spentMs = 0;
  #scheduled = false;

  constructor(options: TurnBudgetOptions) {
    this.#options = options;
  }

  /** Does it at once, or in a later turn. It must not throw. False if too much is waiting already: it is not done at all. */
  run(work: () => void): boolean {
    const { budgetMs, maxWaiting } = this.#options;
    if (this.#spentMs < budgetMs && this.#waiting.size === 0) this.#do(work);
    else if (this.#waiting.size >= maxWaiting) return false;
    else this.#waiting.add(work);
    this.#nextTurn();
    return true;
  }

  /** What is still waiting is not done, and makes room. */
  cancel(work: () => void): void {
    this.#waiting.delete(work);
  }

  #do(work: () => void): void {
    const begun = performance.now();
    work();
    this.#spentMs += performance.now() - begun;
  }

  #nextTurn(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { budgetMs, turnMs } = this.#options;
    setTimeout(() => {
      this.#scheduled = false;
      this.#spentMs = 0;
      for (const work of this.#waiting) {
        if (this.#spentMs >= budgetMs) break;
        this.#waiting.delete(work);
        this.#do(work);
      }
      if (this.#waiting.size > 0) this.#nextTurn();
    }, turnMs).unref();
  }
}
