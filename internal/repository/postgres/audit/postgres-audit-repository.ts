import type { Kysely } from 'kysely';
import type { AuditEvent } from '../../../model/audit-event.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { AuditFilter, AuditRepository } from '../../audit-repository.ts';
import type { Database } from '../connection/database.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { audit } from './audit.ts';

export class PostgresAuditRepository implements AuditRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  record(actor: User, action: string, detail: Record<string, unknown>, chatId?: string): Promise<void> {
    return inTransaction(this.#db, (tx) => audit(tx, actor, action, chatId ?? null, detail));
  }

  list({ chatId, actorId }: AuditFilter, limit: number, beforeId?: number): Promise<Page<AuditEvent, number>> {
    return withStorageErrors(async () => {
      let query = this.#reads
        .selectFrom('audit_log')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (chatId !== undefined) query = query.where('chat_id', '=', chatId);
      if (actorId !== undefined) query = query.where('actor_id', '=', actorId);
      if (beforeId !== undefined) query = query.where('id', '<', beforeId);
      const rows = await query.execute();
      const items = rows.slice(0, limit).map((row) => ({
        id: row.id,
        at: row.at,
        actorId: row.actor_id,
        action: row.action,
        ...(row.chat_id !== null && { chatId: row.chat_id }),
        detail: row.detail as Record<string, unknown>,
      }));
      return { items, ...(rows.length > limit && { next: items.at(-1)?.id }) };
    });
  }
}
