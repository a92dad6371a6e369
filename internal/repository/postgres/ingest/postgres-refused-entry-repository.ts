import type pg from 'pg';
import type { RefusedEntry, RefusedEntryRepository } from '../../refused-entry-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';

const columns = 'id, at, partition, reason, body';

/** The entries in the table ingest.refused. */
export class PostgresRefusedEntryRepository implements RefusedEntryRepository {
  readonly #pool: pg.Pool;

  constructor({ pool }: Pick<Database, 'pool'>) {
    this.#pool = pool;
  }

  list(afterId: number, limit: number): Promise<RefusedEntry[]> {
    return withStorageErrors(async () => {
      const { rows } = await this.#pool.query<RefusedEntry>(
        `select ${columns} from ingest.refused where id > $1 order by id limit $2`,
        [afterId, limit],
      );
      return rows;
    });
  }

  findLastId(): Promise<number> {
    return withStorageErrors(async () => {
      const { rows } = await this.#pool.query<{ last: number }>(
        'select coalesce(max(id), 0) as last from ingest.refused',
      );
      return rows[0]!.last;
    });
  }

  take(
    { afterId, throughId }: { afterId: number; throughId: number },
    work: (entry: RefusedEntry) => Promise<boolean>,
  ): Promise<RefusedEntry | undefined> {
    return withStorageErrors(async () => {
      const client = await this.#pool.connect();
      let failure: Error | undefined;
      try {
        await client.query('begin');
        // A second caller would take a later entry first if it did not wait.
        await client.query(`select pg_advisory_xact_lock(hashtext('ingest.refused'))`);
        const { rows } = await client.query<RefusedEntry>(
          `select ${columns} from ingest.refused where id > $1 and id <= $2 order by id limit 1`,
          [afterId, throughId],
        );
        const [entry] = rows;
        if (entry && (await work(entry))) await client.query('delete from ingest.refused where id = $1', [entry.id]);
        await client.query('commit');
        return entry;
      } catch (error) {
        await client.query('rollback').catch((broken: Error) => (failure = broken));
        throw error;
      } finally {
        client.release(failure);
      }
    });
  }
}
