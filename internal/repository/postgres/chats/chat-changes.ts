import { sql, type Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { ChatType } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole, Member } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { User } from '../../../model/user.ts';
import type { Access } from '../../chat-repository.ts';
import { audit } from '../audit/audit.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';

/** Creates a chat with its members. Undefined if its unique name or pair is taken. Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT). */
export async function insertChat(
  tx: Transaction<Tables>,
  creator: User,
  { type, name, directKey }: { type: ChatType; name: string; directKey: string | null },
  members: { id: string; role: ChatRole }[],
  maxMembers: number,
): Promise<Message | undefined> {
  const id = uuidv7();
  const created = await tx
    .insertInto('chats')
    .values({ id, type, name, direct_key: directKey, created_by: creator.id })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!created) return undefined;
  await insertMembers(tx, { chat: { id, type } }, members, maxMembers);
  await audit(tx, creator, 'chat.create', id, { type, name, members: members.map((member) => member.id) });
  return insertSystemMessage(tx, id, creator, { kind: 'chat_created' });
}

/**
 * Makes users members, from the chat's next number on, and returns those who were not before. The chat's row is locked.
 * Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT).
 */
export async function insertMembers(
  tx: Transaction<Tables>,
  { chat }: Access,
  members: { id: string; role: ChatRole }[],
  maxMembers: number,
): Promise<Member[]> {
  if (members.length === 0) return [];
  const { last_seq } = await tx
    .selectFrom('chats')
    .select('last_seq')
    .where('id', '=', chat.id)
    .executeTakeFirstOrThrow();
  const rows = await tx
    .insertInto('members')
    .values(members.map(({ id, role }) => ({ chat_id: chat.id, user_id: id, role, joined_seq: last_seq + 1 })))
    .onConflict((conflict) => conflict.doNothing())
    .returning(['user_id', 'role', 'joined_at'])
    .execute();
  if (rows.length === 0) return [];
  const { member_count } = await tx
    .updateTable('chats')
    .set(({ eb }) => ({ member_count: eb('member_count', '+', rows.length) }))
    .where('id', '=', chat.id)
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
  }));
}

/** Ends a membership and returns its role; undefined if there was none. The chat's row is locked. */
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

export async function hasOwner(tx: Transaction<Tables>, chatId: string): Promise<boolean> {
  const owner = await tx
    .selectFrom('members')
    .select('user_id')
    .where('chat_id', '=', chatId)
    .where('role', '=', 'OWNER')
    .limit(1)
    .executeTakeFirst();
  return owner !== undefined;
}

/** When an owner has gone and the group has none left, its longest-standing administrator, or else member, becomes one. */
export async function passOwnership(
  tx: Transaction<Tables>,
  { id: chatId, type }: Access['chat'],
  actor: User,
  goneRole: ChatRole,
): Promise<Message[]> {
  if (type !== 'GROUP' || goneRole !== 'OWNER' || (await hasOwner(tx, chatId))) return [];
  const heir = await tx
    .selectFrom('members')
    .where('chat_id', '=', chatId)
    .select('user_id')
    .orderBy(sql`array_position(array['ADMIN', 'MEMBER', 'READER'], role)`)
    .orderBy('joined_seq')
    .orderBy('user_id')
    .limit(1)
    .executeTakeFirst();
  if (!heir) return [];
  await tx
    .updateTable('members')
    .set({ role: 'OWNER' })
    .where('chat_id', '=', chatId)
    .where('user_id', '=', heir.user_id)
    .execute();
  await audit(tx, actor, 'members.own', chatId, { user: heir.user_id });
  return [
    await insertSystemMessage(tx, chatId, actor, { kind: 'owner_changed', user: await getUser(tx, heir.user_id) }),
  ];
}

/** In the order of ids, so that two transactions cannot wait for each other. */
export async function touchMemberships(tx: Transaction<Tables>, userIds: readonly string[]): Promise<void> {
  await sql`
    insert into users (id, membership_version) select id, 1 from unnest(${[...userIds].sort()}::text[]) as t (id) order by id
    on conflict (id) do update set membership_version = users.membership_version + 1`.execute(tx);
}
