import { sql } from 'kysely';
import type { RevocationSource } from '../../../client/auth/revocation-source.ts';
import { invalidFieldsError } from '../../../model/errors.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';

/**
 * A row becomes visible when its transaction commits, which is later than the time that stands in it: so much is read again. No
 * transaction takes longer (`statement_timeout`, `idle_in_transaction_session_timeout`).
 */
const overlapMs = 15_000;

/** More digits would be a time that PostgreSQL does not have. */
const cursorForm = /^\d{1,15}$/;

/** The ended sessions of the embedded issuer. The cursor is a time of the database's clock, in milliseconds. */
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
      // Never further back than access tokens live, whatever the cursor: anybody may ask.
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
