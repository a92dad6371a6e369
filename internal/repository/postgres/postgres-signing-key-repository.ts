import { type Kysely, sql } from 'kysely';
import type { PrivateJwk, SigningKeyRepository } from '../signing-key-repository.ts';
import type { Database, Tables } from './database.ts';
import { withStorageErrors } from './storage-error.ts';

export class PostgresSigningKeyRepository implements SigningKeyRepository {
  readonly #db: Kysely<Tables>;

  constructor({ db }: Database) {
    this.#db = db;
  }

  list(create: () => Promise<PrivateJwk>): Promise<PrivateJwk[]> {
    return withStorageErrors(async () => {
      const keys = await listKeys(this.#db);
      if (keys.length > 0) return keys;
      const key = await create();
      return this.#db.transaction().execute(async (tx) => {
        // A statement of its own: the next one then sees what another node has made in the meantime.
        await sql`select pg_advisory_xact_lock(hashtext('auth.signing_keys'))`.execute(tx);
        await sql`insert into auth.signing_keys (kid, private_jwk)
          select ${key.kid}, ${JSON.stringify(key)}::jsonb where not exists (select from auth.signing_keys)`.execute(
          tx,
        );
        return listKeys(tx);
      });
    });
  }
}

async function listKeys(db: Kysely<Tables>): Promise<PrivateJwk[]> {
  const { rows } = await sql<{ private_jwk: PrivateJwk }>`
    select private_jwk from auth.signing_keys order by created_at desc, kid`.execute(db);
  return rows.map(({ private_jwk }) => private_jwk);
}
