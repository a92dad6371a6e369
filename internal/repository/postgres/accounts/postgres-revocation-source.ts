import { sql } from 'kysely';
import { invalidFieldsError } from '../../../model/errors.ts';
import type { RevocationSource } from '../../revocation-source.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';

/**
 * Milliseconds before the cursor that are read again. A row becomes visible when its transaction commits, later than the time in the row; no
 * transaction takes longer than this (`statement_timeout`, `idle_in_transaction_session_timeout`).
 */
const overlapMs = 15_000;

/** A time with more digits is out of PostgreSQL's range. */
const cursorForm = /^\d{1,15}$/;

/** Reads which sessions of the embedded issuer have ended. The cursor is a time by the database's clock, in milliseconds. */
export class PostgresRevocationSource implements RevocationSource {
  readonly #db: Database['db'];
  readonly #firstMs: number;

  /** `tokenTtlMs`: how long access tokens are valid. */
  constructor({ db }: Database, { tokenTtlMs }: { tokenTtlMs: number }) {
    this.#db = db;
    this.#firstMs = tokenTtlMs + 60_000;
  }

  listRevocations(cursor?: string): Promise<{ sessionIds: string[]; cursor: string }> {
    if (cursor !== undefined && !cursorForm.test(cursor)) {
      throw invalidFieldsError({ field: 'cursor', description: 'must be the cursor of an earlier answer' });
    }
    return withStorageErrors(async () => {
      // Anybody may ask, with any cursor: never read further back than access tokens live.
      const first = sql`clock_timestamp() - ${this.#firstMs} * interval '1 millisecond'`;
      const since = cursor === undefined ? first : sql`greatest(${first}, to_timestamp(${Number(cursor)} / 1000.0))`;
      const { rows } = await sql<{ now_ms: number; ids: string[] | null }>`
        select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
          (select array_agg(id::text) from auth.sessions where ended_at > ${since}) as ids`.execute(this.#db);
      const [{ now_ms, ids } = { now_ms: 0, ids: null }] = rows;
      return { sessionIds: ids ?? [], cursor: String(now_ms - overlapMs) };
    });
  }
}
