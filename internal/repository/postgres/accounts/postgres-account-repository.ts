import { type Kysely, sql, type Transaction } from 'kysely';
import type { Account, AuthEvent, AuthSession, SessionEnd } from '../../../model/account.ts';
import { ChatError } from '../../../model/errors.ts';
import type { Page } from '../../../model/page.ts';
import type { TokenRole } from '../../../model/principal.ts';
import type { AccountRepository, NewSession, NextRefreshToken, Refreshed } from '../../account-repository.ts';
import type { Database } from '../connection/database.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { auditAuth } from './auth-audit.ts';

const accountColumns = ['user_id', 'name', 'roles', 'created_at', 'password_hash'] as const;

export class PostgresAccountRepository implements AccountRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  create(
    { userId, name, roles, passwordHash }: Omit<Account, 'createdAt'> & { passwordHash: string },
    actorId: string,
  ): Promise<Account> {
    return inTransaction(this.#db, async (tx) => {
      const row = await tx
        .insertInto('auth.accounts')
        .values({ user_id: userId, name, roles, password_hash: passwordHash })
        .onConflict((conflict) => conflict.doNothing())
        .returning(accountColumns)
        .executeTakeFirst();
      if (!row) throw new ChatError('USERNAME_TAKEN', 'there is an account with this user name already');
      await auditAuth(tx, { actorId, userId, action: 'account.create', detail: { roles } });
      return toAccount(row);
    });
  }

  find(userId: string): Promise<(Account & { passwordHash: string }) | undefined> {
    return withStorageErrors(async () => {
      const row = await this.#reads
        .selectFrom('auth.accounts')
        .select(accountColumns)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return row && { ...toAccount(row), passwordHash: row.password_hash };
    });
  }

  list(): Promise<Account[]> {
    return withStorageErrors(async () => {
      const rows = await this.#reads.selectFrom('auth.accounts').select(accountColumns).orderBy('user_id').execute();
      return rows.map(toAccount);
    });
  }

  setRoles(userId: string, roles: readonly TokenRole[]): Promise<{ sessionsEnded: number } | undefined> {
    return inTransaction(this.#db, async (tx) => {
      const account = await tx
        .selectFrom('auth.accounts')
        .select('roles')
        .where('user_id', '=', userId)
        .forUpdate()
        .executeTakeFirst();
      if (!account) return undefined;
      await tx
        .updateTable('auth.accounts')
        .set({ roles: [...roles] })
        .where('user_id', '=', userId)
        .execute();
      await auditAuth(tx, { actorId: '', userId, action: 'account.grant', detail: { roles, before: account.roles } });
      const taken = account.roles.some((role) => !roles.includes(role));
      return { sessionsEnded: taken ? await endSessions(tx, userId, 'ROLES_CHANGED') : 0 };
    });
  }

  setPassword(
    userId: string,
    passwordHash: string,
    { actorId, from, keepSessionId }: { actorId: string; from?: string; keepSessionId?: string },
  ): Promise<void> {
    return inTransaction(this.#db, async (tx) => {
      let update = tx
        .updateTable('auth.accounts')
        .set({ password_hash: passwordHash, password_changed_at: sql`clock_timestamp()` })
        .where('user_id', '=', userId);
      if (from !== undefined) update = update.where('password_hash', '=', from);
      if (!(await update.returning('user_id').executeTakeFirst())) {
        throw new ChatError('WRONG_PASSWORD', 'the password has just been changed');
      }
      const sessionsEnded = await endSessions(tx, userId, 'PASSWORD_CHANGED', keepSessionId);
      await auditAuth(tx, { actorId, userId, action: 'password.change', detail: { sessionsEnded } });
    });
  }

  rehash(userId: string, { from, to }: { from: string; to: string }): Promise<boolean> {
    return withStorageErrors(async () => {
      const changed = await this.#db
        .updateTable('auth.accounts')
        .set({ password_hash: to })
        .where('user_id', '=', userId)
        .where('password_hash', '=', from)
        .returning('user_id')
        .executeTakeFirst();
      return changed !== undefined;
    });
  }

  beginSession(
    userId: string,
    { id, passwordHash, refreshTokenHash, expiresAt, device }: NewSession,
  ): Promise<Account> {
    return inTransaction(this.#db, async (tx) => {
      // The lock orders this against a change of password or roles: it comes before and is seen here, or comes after and ends this session.
      const account = await tx
        .selectFrom('auth.accounts')
        .select(accountColumns)
        .where('user_id', '=', userId)
        .forShare()
        .executeTakeFirst();
      if (account?.password_hash !== passwordHash) {
        throw new ChatError('WRONG_CREDENTIALS', 'the password has just been changed');
      }
      await tx
        .insertInto('auth.sessions')
        .values({ id, user_id: userId, expires_at: expiresAt, user_agent: device.userAgent, address: device.address })
        .execute();
      await tx.insertInto('auth.refresh_tokens').values({ token_hash: refreshTokenHash, session_id: id }).execute();
      return toAccount(account);
    });
  }

  async refresh(
    tokenHash: Buffer,
    { refreshTokenHash, retryKeyHash, expiresAt, device }: NextRefreshToken,
  ): Promise<Refreshed> {
    // The end of the session must be committed, so the refusal is thrown after the transaction.
    const outcome = await inTransaction(this.#db, async (tx) => {
      const token = await tx
        .selectFrom('auth.refresh_tokens as t')
        .innerJoin('auth.sessions as s', 's.id', 't.session_id')
        .innerJoin('auth.accounts as a', 'a.user_id', 's.user_id')
        .select([
          's.id as session_id',
          't.token_hash',
          't.used_at',
          't.retry_key_hash',
          's.ended_at',
          'a.user_id',
          'a.name',
          'a.roles',
          'a.created_at',
        ])
        .select(sql<boolean>`s.expires_at < clock_timestamp()`.as('expired'))
        .where('t.token_hash', '=', tokenHash)
        .forUpdate(['t', 's'])
        .executeTakeFirst();
      if (!token) return 'unknown';
      if (token.used_at && !(await takeBack(tx, token, retryKeyHash))) {
        await endSession(tx, token.user_id, token.session_id, 'TOKEN_REUSED');
        return 'reused';
      }
      if (token.ended_at || token.expired) return 'ended';
      await tx
        .updateTable('auth.refresh_tokens')
        .set({ used_at: sql`clock_timestamp()`, retry_key_hash: retryKeyHash ?? null })
        .where('token_hash', '=', tokenHash)
        .execute();
      await tx
        .insertInto('auth.refresh_tokens')
        .values({ token_hash: refreshTokenHash, session_id: token.session_id })
        .execute();
      await tx
        .updateTable('auth.sessions')
        .set({
          last_used_at: sql`clock_timestamp()`,
          expires_at: expiresAt,
          user_agent: device.userAgent,
          address: device.address,
        })
        .where('id', '=', token.session_id)
        .execute();
      return { sessionId: token.session_id, account: toAccount(token) };
    });
    switch (outcome) {
      case 'unknown':
        throw new ChatError('REFRESH_TOKEN_INVALID', 'the refresh token is not known: sign in again');
      case 'ended':
        throw new ChatError('REFRESH_TOKEN_INVALID', 'the session has ended: sign in again');
      case 'reused':
        throw new ChatError(
          'REFRESH_TOKEN_REUSED',
          'the refresh token was used before: its session has been ended, sign in again',
        );
      default:
        return outcome;
    }
  }

  listSessions(userId: string): Promise<AuthSession[]> {
    return withStorageErrors(async () => {
      const rows = await this.#reads
        .selectFrom('auth.sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where(sql<boolean>`expires_at > clock_timestamp()`)
        .orderBy('last_used_at', 'desc')
        .limit(1_000)
        .execute();
      return rows.map((row) => ({
        id: row.id,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
        expiresAt: row.expires_at,
        userAgent: row.user_agent,
        address: row.address,
      }));
    });
  }

  endSession(
    userId: string,
    sessionId: string,
    reason: SessionEnd,
    by?: { actorId: string; why: string },
  ): Promise<boolean> {
    return inTransaction(this.#db, (tx) => endSession(tx, userId, sessionId, reason, by));
  }

  recordEnd(userId: string, sessionId: string, expiresAt: Date): Promise<void> {
    return withStorageErrors(async () => {
      await this.#db
        .insertInto('auth.sessions')
        .values({
          id: sessionId,
          user_id: userId,
          expires_at: expiresAt,
          ended_at: sql`clock_timestamp()`,
          end_reason: 'LOGGED_OUT',
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  listEvents({ userId }: { userId?: string }, limit: number, beforeId?: number): Promise<Page<AuthEvent, number>> {
    return withStorageErrors(async () => {
      let query = this.#reads
        .selectFrom('auth.audit_log')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (userId !== undefined) query = query.where('user_id', '=', userId);
      if (beforeId !== undefined) query = query.where('id', '<', beforeId);
      const rows = await query.execute();
      const items = rows.slice(0, limit).map((row) => ({
        id: row.id,
        at: row.at,
        actorId: row.actor_id,
        userId: row.user_id,
        action: row.action,
        detail: row.detail as Record<string, unknown>,
      }));
      return { items, ...(rows.length > limit && { next: items.at(-1)?.id }) };
    });
  }

  prune(limit: number): Promise<number> {
    return withStorageErrors(async () => {
      // A day late, because the nodes that follow the ends of sessions may be behind.
      const { rows } = await sql`
        delete from auth.sessions where id in (
          select id from auth.sessions where expires_at < clock_timestamp() - interval '1 day' limit ${limit}
        ) returning id`.execute(this.#db);
      return rows.length;
    });
  }
}

/** Voids the token that the session's last exchange issued, if that exchange had this retry key and the token has not been used; else false. */
async function takeBack(
  tx: Transaction<Tables>,
  used: { token_hash: Buffer; session_id: string; retry_key_hash: Buffer | null },
  retryKeyHash: Buffer | undefined,
): Promise<boolean> {
  if (!retryKeyHash || !used.retry_key_hash?.equals(retryKeyHash)) return false;
  const voided = await tx
    .deleteFrom('auth.refresh_tokens as given')
    .where('session_id', '=', used.session_id)
    .where('used_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('auth.refresh_tokens as later')
            .select('later.token_hash')
            .where('later.session_id', '=', used.session_id)
            // Compared in the database, whose times have microseconds; a Date has milliseconds only.
            .where('later.used_at', '>', ({ selectFrom }) =>
              selectFrom('auth.refresh_tokens').select('used_at').where('token_hash', '=', used.token_hash),
            ),
        ),
      ),
    )
    .returning('token_hash')
    .executeTakeFirst();
  return voided !== undefined;
}

async function endSession(
  tx: Transaction<Tables>,
  userId: string,
  sessionId: string,
  reason: SessionEnd,
  by?: { actorId: string; why: string },
): Promise<boolean> {
  const ended = await tx
    .updateTable('auth.sessions')
    .set({ ended_at: sql`clock_timestamp()`, end_reason: reason })
    .where('id', '=', sessionId)
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (!ended) return false;
  const action = reason === 'REVOKED' ? 'session.revoke' : 'session.end';
  const detail = { session: sessionId, reason, ...(by && { why: by.why }) };
  await auditAuth(tx, { actorId: by?.actorId ?? userId, userId, action, detail });
  return true;
}

async function endSessions(
  tx: Transaction<Tables>,
  userId: string,
  reason: SessionEnd,
  keepSessionId?: string,
): Promise<number> {
  let query = tx
    .updateTable('auth.sessions')
    .set({ ended_at: sql`clock_timestamp()`, end_reason: reason })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null);
  if (keepSessionId !== undefined) query = query.where('id', '<>', keepSessionId);
  return (await query.returning('id').execute()).length;
}

function toAccount(row: { user_id: string; name: string; roles: TokenRole[]; created_at: Date }): Account {
  return { userId: row.user_id, name: row.name, roles: row.roles, createdAt: row.created_at };
}
