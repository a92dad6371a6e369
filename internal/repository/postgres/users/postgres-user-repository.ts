import { type Kysely, sql } from 'kysely';
import type { User } from '../../../model/user.ts';
import type { UserRepository } from '../../user-repository.ts';
import type { Database } from '../connection/database.ts';
import { ReadBatch } from '../connection/read-batch.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

export class PostgresUserRepository implements UserRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;
  readonly #names = new ReadBatch((users: readonly User[]) => this.#remember(users));

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  /**
   * Names that arrive together are written by one statement; of several names of a user the last one counts. The statement runs by itself,
   * never within a change: it locks rows of users, in the order of their ids as changes do.
   */
  remember(user: User): Promise<void> {
    return this.#names.load(user);
  }

  search(prefix: string, limit: number): Promise<User[]> {
    return withStorageErrors(async () => {
      const begins = (text: string) => `${text.replace(/[\\%_]/g, '\\$&')}%`;
      const { rows } = await sql<User>`
        select id, name from (
          (select id, name from users where id like ${begins(prefix)} order by id limit ${limit})
          union
          (select id, name from users where lower(name) like ${begins(prefix.toLowerCase())} order by lower(name) limit ${limit})
        ) as found order by id limit ${limit}`.execute(this.#reads);
      return rows;
    });
  }

  #remember(users: readonly User[]): Promise<undefined[]> {
    return withStorageErrors(async () => {
      const names = new Map(users.map(({ id, name }) => [id, name]));
      await sql`
        insert into users (id, name)
        select k.id, k.name from unnest(${[...names.keys()]}::text[], ${[...names.values()]}::text[]) as k (id, name)
        where not exists (select from users u where u.id = k.id and u.name = k.name)
        order by k.id
        on conflict (id) do update set name = excluded.name where users.name <> excluded.name`.execute(this.#db);
      return users.map(() => undefined);
    });
  }
}
