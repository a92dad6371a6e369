import type pg from 'pg';
import type { PrivateJwk, SigningKeyRepository } from '../signing-key-repository.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-error.ts';

export class PostgresSigningKeyRepository implements SigningKeyRepository {
  readonly #pool: pg.Pool;

  constructor({ pool }: Database) {
    this.#pool = pool;
  }

  list(create: () => Promise<PrivateJwk>): Promise<PrivateJwk[]> {
    return withStorageErrors(async () => {
      const keys = await this.#list();
      if (keys.length > 0) return keys;
      const key = await create();
      await this.#pool.query(
        `with alone as (select pg_advisory_xact_lock(hashtext('auth.signing_keys')))
         insert into auth.signing_keys (kid, private_jwk)
         select $1, $2 from alone where not exists (select from auth.signing_keys)`,
        [key.kid, key],
      );
      return this.#list();
    });
  }

  async #list(): Promise<PrivateJwk[]> {
    const { rows } = await this.#pool.query<{ private_jwk: PrivateJwk }>(
      'select private_jwk from auth.signing_keys order by created_at desc, kid',
    );
    return rows.map(({ private_jwk }) => private_jwk);
  }
}
