import type { Transaction } from 'kysely';
import type { AuthEvent } from '../../../model/account.ts';
import type { Tables } from '../connection/tables.ts';

/** Writes the row of a change to the audit log of accounts, in the transaction of that change. */
export async function auditAuth(
  tx: Transaction<Tables>,
  { actorId, userId, action, detail }: Omit<AuthEvent, 'id' | 'at'>,
): Promise<void> {
  await tx
    .insertInto('auth.audit_log')
    .values({ actor_id: actorId, user_id: userId, action, detail: JSON.stringify(detail) })
    .execute();
}
