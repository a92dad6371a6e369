import type pg from 'pg';

/** Asks the database once in a while whether it answers, and tells when that changes. */
export class DatabaseWatch {
  readonly #pool: pg.Pool;
  readonly #onChange: (reachable: boolean) => void;
  readonly #timer: NodeJS.Timeout;
  #reachable = true;
  #asking = false;
  #stopped = false;

  constructor(pool: pg.Pool, intervalMs: number, onChange: (reachable: boolean) => void) {
    this.#pool = pool;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.#ask(), intervalMs);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Never throws: whatever goes wrong is the answer. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const reachable = await this.#pool.query('select 1').then(
      () => true,
      () => false,
    );
    this.#asking = false;
    if (this.#stopped || reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#onChange(reachable);
  }
}
