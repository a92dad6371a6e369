import type pg from 'pg';

/** The number of messages from which statistics are good enough. */
const enough = 200;

/**
 * Analyzes the tables of a new database early. A statement that is planned while a few hundred messages exist and PostgreSQL has no statistics
 * uses the wrong index, and is forty times slower a few thousand messages later. Autovacuum analyzes only after a minute. ANALYZE also
 * invalidates the plans that were made before.
 */
export class FirstAnalysis {
  readonly #pool: pg.Pool;
  #written = 0;
  #begun = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Counts messages that have been written; starts the analysis once there are enough. */
  wrote(messages: number): void {
    if (this.#begun) return;
    this.#written += messages;
    if (this.#written < enough) return;
    this.#begun = true;
    this.#analyze().catch(() => {
      // The database is unreachable, or the role may not analyze: autovacuum will do it.
    });
  }

  async #analyze(): Promise<void> {
    const { rows } = await this.#pool.query<{ unknown: boolean }>(
      `select reltuples < ${enough} as unknown from pg_class where oid = 'messages'::regclass`,
    );
    if (rows[0]?.unknown) await this.#pool.query('analyze messages, members, chats');
  }
}
