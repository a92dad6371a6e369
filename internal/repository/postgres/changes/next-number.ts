import { sql, type Transaction } from 'kysely';
import type { Tables } from '../connection/tables.ts';

/** A number of a chat and the time at which it was taken, by the clock of PostgreSQL, in whole milliseconds. */
export interface ChatNumber {
  seq: number;
  at: Date;
}

/**
 * Takes the chat's next number for a row that the caller writes in the same transaction. Every number belongs to exactly one row: the caller
 * takes one only when it will write that row. Locks the chat's row if the transaction has not done so yet.
 */
export async function nextNumber(tx: Transaction<Tables>, chatId: string): Promise<ChatNumber> {
  const { last_seq, changed_at } = await tx
    .updateTable('chats')
    .set(({ eb }) => ({
      last_seq: eb('last_seq', '+', 1),
      changed_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
    }))
    .where('id', '=', chatId)
    .returning(['last_seq', 'changed_at'])
    .executeTakeFirstOrThrow();
  return { seq: last_seq, at: changed_at };
}
