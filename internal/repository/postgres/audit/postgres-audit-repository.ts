import type { Kysely } from 'kysely';
import type { AuditEvent } from '../../../model/audit-event.ts';
import type { Page } from '../../../model/page.ts';
import type { AuditFilter, AuditRepository } from '../../audit-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

export class PostgresAuditRepository implements AuditRepository {
  readonly #db: Kysely<Tables>;

  constructor({ reads }: Database) {
    this.#db = reads;
  }

  list({ chatId, actorId }: AuditFilter, limit: number, beforeId?: number): Promise<Page<AuditEvent, number>> {
    return withStorageErrors(async () => {
      let query = this.#db
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
