import { type RawBuilder, sql } from 'kysely';
import { invalidFieldsError } from '../../../model/errors.ts';
import type { RevocationSource } from '../../revocation-source.ts';
import { commitPosition, committedAfter, parseCommitPosition } from '../connection/commit-position.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';

/** Reads which sessions of the embedded issuer have ended, in the order in which their ends were committed. */
export class PostgresRevocationSource implements RevocationSource {
  readonly #db: Database['db'];
  readonly #firstMs: number;

  /** `tokenTtlMs`: how long access tokens are valid. */
  constructor({ reads }: Database, { tokenTtlMs }: { tokenTtlMs: number }) {
    this.#db = reads;
    this.#firstMs = tokenTtlMs + 60_000;
  }

  listRevocations(cursor?: string): Promise<{ sessionIds: string[]; cursor: string }> {
    const since = cursor === undefined ? undefined : parseCommitPosition(cursor);
    if (cursor !== undefined && !since) {
      throw invalidFieldsError({ field: 'cursor', description: 'must be the cursor of an earlier answer' });
    }
    return withStorageErrors(async () => {
      if (since) {
        const answer = await this.#read(committedAfter('s.ended_xid', since));
        if (parseCommitPosition(answer.cursor)?.history === since.history) return answer;
      }
      return this.#read(sql<boolean>`true`);
    });
  }

  async #read(wanted: RawBuilder<boolean>): Promise<{ sessionIds: string[]; cursor: string }> {
    // Anybody may ask, with any cursor: never read further back than access tokens live.
    const { rows } = await sql<{ cursor: string; ids: string[] }>`
      select ${commitPosition('auth.sessions')} as cursor, array(
        select s.id::text from auth.sessions s
        where s.ended_at > clock_timestamp() - ${this.#firstMs} * interval '1 millisecond' and ${wanted}
      ) as ids`.execute(this.#db);
    const { cursor, ids } = rows[0]!;
    return { sessionIds: ids, cursor };
  }
}
