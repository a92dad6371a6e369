import { type Kysely, sql, type Transaction } from 'kysely';
import type { PrivateJwk, SigningKey, SigningKeyRepository } from '../../signing-key-repository.ts';
import type { Database } from '../connection/database.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { auditAuth } from './auth-audit.ts';

export class PostgresSigningKeyRepository implements SigningKeyRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  list(create: () => Promise<PrivateJwk>): Promise<SigningKey[]> {
    return withStorageErrors(async () => {
      const keys = await listKeys(this.#reads);
      if (keys.length > 0) return keys;
      const key = await create();
      return this.#db.transaction().execute(async (tx) => {
        await lock(tx);
        await sql`insert into auth.signing_keys (kid, private_jwk)
          select ${key.kid}, ${JSON.stringify(key)}::jsonb
          where not exists (select from auth.signing_keys where retires_at is null)`.execute(tx);
        return listKeys(tx);
      });
    });
  }

  rotate(
    key: PrivateJwk,
    { leadMs, keepMs }: { leadMs: number; keepMs: number },
  ): Promise<{ signsFrom: Date; removed: number }> {
    return inTransaction(this.#db, async (tx) => {
      await lock(tx);
      const inserted = await sql<{ signs_from: Date }>`
          insert into auth.signing_keys (kid, private_jwk, signs_from)
          values (${key.kid}, ${JSON.stringify(key)}::jsonb, clock_timestamp() + ${leadMs} * interval '1 millisecond')
          returning signs_from`.execute(tx);
      const { signs_from: signsFrom } = inserted.rows[0]!;
      await sql`update auth.signing_keys
          set retires_at = ${signsFrom}::timestamptz + ${keepMs} * interval '1 millisecond'
          where kid <> ${key.kid} and retires_at is null`.execute(tx);
      const removed = await sql`delete from auth.signing_keys where retires_at < clock_timestamp()`.execute(tx);
      await auditAuth(tx, { actorId: '', userId: '', action: 'keys.rotate', detail: { kid: key.kid, signsFrom } });
      return { signsFrom, removed: Number(removed.numAffectedRows ?? 0) };
    });
  }
}

/** Takes a lock in a statement of its own, so that the next statement sees the key that another node has made meanwhile. */
async function lock(tx: Transaction<Tables>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('auth.signing_keys'))`.execute(tx);
}

async function listKeys(db: Kysely<Tables>): Promise<SigningKey[]> {
  const { rows } = await sql<{ private_jwk: PrivateJwk; signs_from: Date }>`
    select private_jwk, signs_from from auth.signing_keys
    where retires_at is null or retires_at > clock_timestamp()
    order by signs_from desc, kid`.execute(db);
  return rows.map(({ private_jwk, signs_from }) => ({ jwk: private_jwk, signsFrom: signs_from }));
}
