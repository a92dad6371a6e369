import type pg from 'pg';

/** So many messages say enough of how they are spread. */
const enough = 200;

/**
 * Has PostgreSQL look at the messages of a new database early. A statement that is planned while there are a few hundred of them and nothing is
 * known of them takes the wrong index, and is forty times slower a few thousand messages later; autovacuum, which would look, comes after a
 * minute. Plans that were made before are made anew.
 */
export class FirstAnalysis {
  readonly #pool: pg.Pool;
  #written = 0;
  #begun = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** So many messages have been written. */
  wrote(messages: number): void {
    if (this.#begun) return;
    this.#written += messages;
    if (this.#written < enough) return;
    this.#begun = true;
    this.#analyze().catch(() => {
      // A database that is away, or a role that may not: autovacuum will do it.
    });
  }

  async #analyze(): Promise<void> {
    const { rows } = await this.#pool.query<{ unknown: boolean }>(
      `select reltuples < ${enough} as unknown from pg_class where oid = 'messages'::regclass`,
    );
    if (rows[0]?.unknown) await this.#pool.query('analyze messages, members, chats');
  }
}
