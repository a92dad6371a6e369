import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Ban, BanChange } from '../../../model/ban.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { BanChanges, BanRepository } from '../../ban-repository.ts';
import { audit } from '../audit/audit.ts';
import { commitPosition, committedAfter, parseCommitPosition } from '../connection/commit-position.ts';
import type { Database } from '../connection/database.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';
import { banNotFound, selectBans, toBan, toBanPage } from './ban-row.ts';

export class PostgresBanRepository implements BanRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  ban(actor: User, userId: string, reason: string, expiresAt: Date | undefined): Promise<Ban> {
    return inTransaction(this.#db, async (tx) => {
      const { name } = await getUser(tx, userId);
      await audit(tx, actor, 'user.ban', null, { user: userId, reason, expires_at: expiresAt });
      const row = await tx
        .insertInto('user_bans')
        .values({ user_id: userId, banned_by: actor.id, reason, expires_at: expiresAt ?? null })
        .onConflict((conflict) =>
          conflict.column('user_id').doUpdateSet({
            banned_by: actor.id,
            reason,
            created_at: sql`clock_timestamp()`,
            expires_at: expiresAt ?? null,
            lifted: false,
            changed_at: sql`clock_timestamp()`,
          }),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
      return toBan({ ...row, name, banned_by_name: actor.name });
    });
  }

  lift(actor: User, userId: string): Promise<void> {
    return inTransaction(this.#db, async (tx) => {
      await audit(tx, actor, 'user.unban', null, { user: userId });
      const lifted = await tx
        .updateTable('user_bans')
        .set({ lifted: true, changed_at: sql`clock_timestamp()` })
        .where('user_id', '=', userId)
        .where('lifted', '=', false)
        .where(sql<boolean>`(expires_at is null or expires_at > clock_timestamp())`)
        .returning('user_id')
        .executeTakeFirst();
      if (!lifted) throw banNotFound();
    });
  }

  list(limit: number, afterUserId?: string): Promise<Page<Ban, string>> {
    return withStorageErrors(async () => {
      const { rows } = await selectBans('user_bans', sql`not b.lifted`, limit, afterUserId).execute(this.#reads);
      return toBanPage(rows, limit);
    });
  }

  listChanges(cursor?: string): Promise<BanChanges> {
    return withStorageErrors(async () => {
      const since = cursor === undefined ? undefined : parseCommitPosition(cursor);
      if (since) {
        const answer = await this.#read(committedAfter('b.changed_xid', since));
        if (parseCommitPosition(answer.cursor)?.history === since.history) return { ...answer, complete: false };
      }
      const inForce = sql<boolean>`not b.lifted and (b.expires_at is null or b.expires_at > statement_timestamp())`;
      return { ...(await this.#read(inForce)), complete: true };
    });
  }

  async #read(wanted: RawBuilder<boolean>): Promise<{ changes: BanChange[]; cursor: string }> {
    const { rows } = await sql<{ cursor: string; user_id: string | null; lifted: boolean; expires_at: Date | null }>`
      select ${commitPosition('user_bans')} as cursor, b.user_id, b.lifted, b.expires_at
      from (values (1)) one left join user_bans b on ${wanted}`.execute(this.#reads);
    const changes = rows.flatMap(({ user_id, lifted, expires_at }) =>
      user_id === null ? [] : [{ userId: user_id, banned: !lifted, ...(expires_at && { expiresAt: expires_at }) }],
    );
    return { changes, cursor: rows[0]!.cursor };
  }
}
