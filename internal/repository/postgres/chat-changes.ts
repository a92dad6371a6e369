import { sql, type Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { ChatType } from '../../model/chat.ts';
import { ChatError } from '../../model/errors.ts';
import type { ChatRole, Member } from '../../model/member.ts';
import type { Message, SystemEvent } from '../../model/message.ts';
import type { User } from '../../model/user.ts';
import type { Access } from '../chat-repository.ts';
import { chatNotFound, getUser } from './chat-queries.ts';
import type { Tables } from './database.ts';
import { isAnyOf, messageColumns, toMessage } from './message-row.ts';

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
  return record(tx, id, creator, { kind: 'chat_created' });
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

/**
 * Locks the chat until the end of the transaction and tells the roles in it of the user and of the one whom the change is about. Throws NOT_FOUND
 * (CHAT_NOT_FOUND).
 */
export async function lockChat(
  tx: Transaction<Tables>,
  chatId: string,
  userId: string,
  targetId?: string,
): Promise<Access> {
  const chat = await tx
    .selectFrom('chats')
    .select(['id', 'type'])
    .where('id', '=', chatId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!chat) throw chatNotFound();
  const members = await tx
    .selectFrom('members')
    .select(['user_id', 'role'])
    .where('chat_id', '=', chatId)
    .where(({ ref }) => isAnyOf(ref('user_id'), [userId, targetId ?? userId], 'text'))
    .execute();
  const roleOf = (id: string) => members.find(({ user_id }) => user_id === id)?.role;
  return { chat, role: roleOf(userId), ...(targetId !== undefined && { targetRole: roleOf(targetId) }) };
}

/** Writes a system message under the chat's next number. The chat's row is locked by this at the latest. */
export async function record(
  tx: Transaction<Tables>,
  chatId: string,
  sender: User,
  event: SystemEvent,
): Promise<Message> {
  const { last_seq, changed_at } = await tx
    .updateTable('chats')
    .set(({ eb }) => ({
      last_seq: eb('last_seq', '+', 1),
      changed_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
    }))
    .where('id', '=', chatId)
    .returning(['last_seq', 'changed_at'])
    .executeTakeFirstOrThrow();
  const row = await tx
    .insertInto('messages')
    .values({
      chat_id: chatId,
      seq: last_seq,
      update_seq: last_seq,
      id: uuidv7(),
      sender_id: sender.id,
      sender_name: sender.name,
      client_message_id: null,
      content_hash: null,
      text: '',
      system: JSON.stringify(event),
      created_at: changed_at,
    })
    .returning(messageColumns)
    .executeTakeFirstOrThrow();
  return toMessage(row);
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
  return [await record(tx, chatId, actor, { kind: 'owner_changed', user: await getUser(tx, heir.user_id) })];
}

/** In the order of ids, so that two transactions cannot wait for each other. */
export async function touchMemberships(tx: Transaction<Tables>, userIds: readonly string[]): Promise<void> {
  await sql`
    insert into users (id, membership_version) select id, 1 from unnest(${[...userIds].sort()}::text[]) as t (id) order by id
    on conflict (id) do update set membership_version = users.membership_version + 1`.execute(tx);
}

/** Writes the audit log's row of a change, in the change's transaction. */
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
