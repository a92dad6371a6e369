import type { Transaction } from 'kysely';
import type { User } from '../../../model/user.ts';
import type { Tables } from '../connection/tables.ts';

/** Writes the audit log's row of an administrative change, in the transaction of that change. */
export async function audit(
  tx: Transaction<Tables>,
  actor: User,
  action: string,
  chatId: string | null,
  detail: Record<string, unknown>,
): Promise<void> {
  await tx
    .insertInto('audit_log')
    .values({ actor_id: actor.id, action, chat_id: chatId, detail: JSON.stringify(detail) })
    .execute();
}
