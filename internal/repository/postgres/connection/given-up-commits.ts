import type pg from 'pg';

/** How often the server is asked, in milliseconds. */
const everyMs = 1_000;

/**
 * Counts the commits that their clients gave up and that still wait for a synchronous standby. PostgreSQL keeps their connections until the standby has
 * confirmed them, and does not notice that the client has gone: each takes a place in the pool, so that the pool does not open another connection for it.
 */
export class GivenUpCommits {
  readonly #pool: pg.Pool;
  readonly #readPool: pg.Pool;
  readonly #size: number;
  /** The process ids of the connections on the server. */
  #waiting = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #closed = false;

  /** `pool`: the one whose places are taken. `readPool`: where the server is asked which commits still wait. */
  constructor({ pool, readPool }: { pool: pg.Pool; readPool: pg.Pool }) {
    this.#pool = pool;
    this.#readPool = readPool;
    this.#size = pool.options.max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes a place for a connection whose answer is no longer waited for, until the server says that it does not wait for a standby. */
  add(processId: number): void {
    if (this.#closed) return;
    this.#waiting.add(processId);
    this.#resize();
    void this.#ask();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Never rejects: a server that cannot be asked is asked again. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const asked = [...this.#waiting];
    try {
      const { rows } = await this.#readPool.query<{ pid: number }>(
        `select pid from pg_stat_activity where pid = any ($1) and wait_event = 'SyncRep'`,
        [asked],
      );
      const waiting = new Set(rows.map(({ pid }) => pid));
      for (const pid of asked) if (!waiting.has(pid)) this.#waiting.delete(pid);
      this.#resize();
    } catch {
      // The pool reports errors of its connections.
    } finally {
      this.#asking = false;
    }
    if (this.#waiting.size === 0 || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), everyMs);
  }

  #resize(): void {
    const before = this.#pool.options.max;
    this.#pool.options.max = this.#size - this.#waiting.size;
    const grew = this.#pool.options.max > before;
    // The pool looks at those that wait for a connection only when one is released.
    if (grew && this.#pool.waitingCount > 0 && !this.#pool.ending)
      this.#pool.connect().then(
        (client) => client.release(),
        () => {},
      );
  }
}
