export interface CpuBudgetOptions {
  /** Milliseconds of CPU time that the work of one turn may take. */
  budgetMs: number;
  /** Length of a turn, in milliseconds. */
  turnMs: number;
  /** The most pieces of work that may wait for a later turn. */
  maxWaiting: number;
}

/**
 * Limits how much CPU time a kind of work takes. Work beyond a turn's budget waits for later turns, in order, so that the event loop
 * keeps serving open connections. The last piece of work may overrun the budget: it is not interrupted.
 */
export class CpuBudget {
  readonly #options: CpuBudgetOptions;
  readonly #waiting = new Set<() => void>();
  #spentMs = 0;
  #scheduled = false;

  constructor(options: CpuBudgetOptions) {
    this.#options = options;
  }

  /** Runs `work`, which must not throw, now or in a later turn. Returns false, and does not run it, if `maxWaiting` are waiting. */
  run(work: () => void): boolean {
    const { budgetMs, maxWaiting } = this.#options;
    if (this.#spentMs < budgetMs && this.#waiting.size === 0) this.#do(work);
    else if (this.#waiting.size >= maxWaiting) return false;
    else this.#waiting.add(work);
    this.#nextTurn();
    return true;
  }

  /** Removes `work` from those that wait. Does nothing if it has already run. */
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
