import { sql, type Transaction } from 'kysely';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole, Member } from '../../../model/member.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import type { Tables } from '../connection/tables.ts';

/**
 * Makes users members, with effect from the chat's next number, and returns those who were not members before. The chat's row must be
 * locked. Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT).
 */
export async function insertMembers(
  tx: Transaction<Tables>,
  chatId: string,
  members: { id: string; role: ChatRole }[],
  maxMembers: number,
): Promise<Member[]> {
  if (members.length === 0) return [];
  const { last_seq } = await tx
    .selectFrom('chats')
    .select('last_seq')
    .where('id', '=', chatId)
    .executeTakeFirstOrThrow();
  const rows = await tx
    .insertInto('members')
    .values(members.map(({ id, role }) => ({ chat_id: chatId, user_id: id, role, joined_seq: last_seq + 1 })))
    .onConflict((conflict) => conflict.doNothing())
    .returning(['user_id', 'role', 'joined_at'])
    .execute();
  if (rows.length === 0) return [];
  const { member_count } = await tx
    .updateTable('chats')
    .set(({ eb }) => ({ member_count: eb('member_count', '+', rows.length) }))
    .where('id', '=', chatId)
    .returning('member_count')
    .executeTakeFirstOrThrow();
  if (member_count > maxMembers) {
    throw new ChatError('MEMBER_LIMIT', `a chat may have at most ${maxMembers} members`);
  }
  const userIds = rows.map(({ user_id }) => user_id);
  await touchMemberships(tx, userIds);
  const users = await tx
    .selectFrom('users')
    .select(['id', 'name'])
    .where(({ ref }) => isAnyOf(ref('id'), userIds, 'text'))
    .execute();
  const names = new Map(users.map(({ id, name }) => [id, name]));
  return rows.map((row) => ({
    user: { id: row.user_id, name: names.get(row.user_id) ?? '' },
    role: row.role,
    joinedAt: row.joined_at,
    readSeq: 0,
    readGeneration: 0,
    deliveredSeq: 0,
  }));
}

/** Ends a membership and returns its role; undefined if the user is not a member. The chat's row must be locked. */
export async function deleteMember(
  tx: Transaction<Tables>,
  chatId: string,
  userId: string,
): Promise<ChatRole | undefined> {
  const removed = await tx
    .deleteFrom('members')
    .where('chat_id', '=', chatId)
    .where('user_id', '=', userId)
    .returning('role')
    .executeTakeFirst();
  if (!removed) return undefined;
  await tx
    .updateTable('chats')
    .set(({ eb }) => ({ member_count: eb('member_count', '-', 1) }))
    .where('id', '=', chatId)
    .execute();
  await touchMemberships(tx, [userId]);
  return removed.role;
}

/** Raises the users' membership versions. Their rows are locked in the order of their ids, so that two transactions cannot deadlock. */
export async function touchMemberships(tx: Transaction<Tables>, userIds: readonly string[]): Promise<void> {
  await sql`
    insert into users (id, membership_version) select id, 1 from unnest(${[...userIds].sort()}::text[]) as t (id) order by id
    on conflict (id) do update set membership_version = users.membership_version + 1`.execute(tx);
}
