import { type Kysely, sql, type Transaction } from 'kysely';
import type { Ban } from '../../../model/ban.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { NewBan } from '../../chat-repository.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';
import { listBanRows, toBan, unexpired } from './ban-row.ts';

/** Bans the user from the chat, or replaces their ban. The chat's row is locked. */
export async function insertBan(
  tx: Transaction<Tables>,
  chatId: string,
  actor: User,
  { userId, reason, expiresAt }: NewBan,
): Promise<Ban> {
  const row = await tx
    .insertInto('chat_bans')
    .values({
      chat_id: chatId,
      user_id: userId,
      banned_by: actor.id,
      reason,
      expires_at: expiresAt ?? null,
    })
    .onConflict((conflict) =>
      conflict.columns(['chat_id', 'user_id']).doUpdateSet({
        banned_by: actor.id,
        reason,
        created_at: sql`clock_timestamp()`,
        expires_at: expiresAt ?? null,
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toBan({ ...row, name: (await getUser(tx, userId)).name, banned_by_name: actor.name });
}

/** False if the user was not banned, or not any more. The chat's row is locked. */
export async function deleteBan(tx: Transaction<Tables>, chatId: string, userId: string): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('chat_bans')
    .where('chat_id', '=', chatId)
    .where('user_id', '=', userId)
    .returning(sql<boolean>`expires_at is null or expires_at > clock_timestamp()`.as('counted'))
    .executeTakeFirst();
  return deleted?.counted ?? false;
}

/** The first of the users who is banned from the chat, by id. The chat's row is locked, so that it stays so. */
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

/** Those who are banned from the chat now, by user id. */
export function listChatBans(
  db: Kysely<Tables>,
  chatId: string,
  limit: number,
  afterUserId?: string,
): Promise<Page<Ban, string>> {
  return listBanRows(db, 'chat_bans', sql`b.chat_id = ${chatId}`, limit, afterUserId);
}
