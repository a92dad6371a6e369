import { type Kysely, sql } from 'kysely';
import type { Node, SeenNode } from '../../../model/node.ts';
import type { NodeRepository } from '../../node-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

export class PostgresNodeRepository implements NodeRepository {
  readonly #db: Kysely<Tables>;

  /** Reads where it writes: a standby lacks tables that are not logged. */
  constructor({ db }: Pick<Database, 'db'>) {
    this.#db = db;
  }

  tell({ id, host, pid, version, roles, startedAt, sessions, connections, ready }: Node, expireAfterMs: number) {
    return withStorageErrors(async () => {
      await sql`
        with expired as (delete from nodes where id <> ${id}::uuid and not ${lives(expireAfterMs)})
        insert into nodes (id, host, pid, version, roles, started_at, seen_at, sessions, connections, ready)
        values (${id}, ${host}, ${pid}, ${version}, ${[...roles]}::text[], ${startedAt}, clock_timestamp(),
          ${sessions}, ${connections}, ${ready})
        on conflict (id) do update set seen_at = excluded.seen_at, sessions = excluded.sessions,
          connections = excluded.connections, ready = excluded.ready`.execute(this.#db);
    });
  }

  list(expireAfterMs: number): Promise<SeenNode[]> {
    return withStorageErrors(async () => {
      const { rows } = await sql<SeenNode>`
        select id, host, pid, version, roles, started_at as "startedAt", seen_at as "seenAt", sessions, connections, ready
        from nodes where ${lives(expireAfterMs)} order by started_at, id`.execute(this.#db);
      return rows;
    });
  }

  remove(id: string): Promise<void> {
    return withStorageErrors(async () => {
      await sql`delete from nodes where id = ${id}`.execute(this.#db);
    });
  }
}

function lives(expireAfterMs: number) {
  return sql`seen_at > clock_timestamp() - ${expireAfterMs} * interval '1 millisecond'`;
}
