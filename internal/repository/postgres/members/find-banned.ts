import { sql, type Transaction } from 'kysely';
import { isAnyOf } from '../connection/is-any-of.ts';
import type { Tables } from '../connection/tables.ts';

/** A condition on a table of bans with the alias `b`: the ban has not expired. */
export const unexpired = sql<boolean>`(b.expires_at is null or b.expires_at > clock_timestamp())`;

/** Returns the first of the users, by id, that is banned from the chat. No ban is added or lifted while the chat's row is locked. */
export async function findBanned(
  tx: Transaction<Tables>,
  chatId: string,
  userIds: readonly string[],
): Promise<string | undefined> {
  const banned = await tx
    .selectFrom('chat_bans as b')
    .select('b.user_id')
    .where('b.chat_id', '=', chatId)
    .where(({ ref }) => isAnyOf(ref('b.user_id'), userIds, 'text'))
    .where(unexpired)
    .orderBy('b.user_id')
    .limit(1)
    .executeTakeFirst();
  return banned?.user_id;
}
