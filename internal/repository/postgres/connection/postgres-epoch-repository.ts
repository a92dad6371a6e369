import type pg from 'pg';
import type { EpochRepository } from '../../epoch-repository.ts';
import { withStorageErrors } from './storage-error.ts';

/** Every new connection looks at the epoch before it is used, since a database cannot go back without breaking its connections. */
export class PostgresEpochRepository implements EpochRepository {
  /** For reads. */
  readonly #pool: () => pg.Pool;
  readonly #listeners: (() => void)[] = [];
  #current = '';

  constructor(pool: () => pg.Pool) {
    this.#pool = pool;
  }

  get current(): string {
    return this.#current;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  findValid(cursors: ReadonlyMap<string, string>): Promise<Map<string, number>> {
    return withStorageErrors(async () => {
      if (cursors.size === 0) return new Map();
      const { rows } = await this.#pool().query<{ id: string; valid: number }>(
        `select k.id, valid_through(k.id, k.epoch) as valid from unnest($1::uuid[], $2::text[]) as k (id, epoch)
         join chats c on c.id = k.id`,
        [[...cursors.keys()], [...cursors.values()]],
      );
      return new Map(rows.map(({ id, valid }) => [id, valid]));
    });
  }

  /** Looks at the epoch again. Call it once the schema is migrated. */
  refresh(): Promise<void> {
    return withStorageErrors(() => this.onConnect(this.#pool()));
  }

  /** Begins a new epoch, of which PostgreSQL does not know, and returns its id. */
  async begin(pool: pg.Pool): Promise<string> {
    const { rows } = await pool.query<{ id: string }>('select new_epoch() as id');
    return rows[0]!.id;
  }

  /** Looks at the epoch by a new connection. A database that is not migrated yet has none. */
  async onConnect(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
    const id = await presentEpoch(client);
    if (id === this.#current) return;
    const isFirst = this.#current === '';
    this.#current = id;
    if (!isFirst) for (const listener of this.#listeners) listener();
  }
}

const undefinedFunction = '42883';

/** Returns the present epoch, and records it if it is new. */
async function presentEpoch(client: Pick<pg.ClientBase, 'query'>): Promise<string> {
  const recorded = await client.query<{ id: string | null }>('select present_epoch() as id').catch((error) => {
    if (error.code === undefinedFunction) return undefined;
    throw error;
  });
  if (!recorded) return '';
  const id = recorded.rows[0]?.id;
  if (typeof id === 'string') return id;
  // Does not wait for a synchronous standby, which may be away after a failover: the record is made again if it gets lost.
  const results = await client.query(
    'begin read write; set local synchronous_commit = local; select id from note_epoch(); commit',
  );
  return (results as unknown as pg.QueryResult<{ id: string }>[])[2]!.rows[0]!.id;
}
