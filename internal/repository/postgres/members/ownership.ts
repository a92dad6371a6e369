import { sql, type Transaction } from 'kysely';
import type { ChatRole } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { User } from '../../../model/user.ts';
import type { Access } from '../../guard.ts';
import { audit } from '../audit/audit.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';

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

/**
 * Gives a group that has just lost its last owner a new one: its administrator of longest standing, or else its member of longest standing.
 * `endedRole` is the role of the membership that has ended. Returns the system message, if there is one. The chat's row must be locked.
 */
export async function passOwnership(
  tx: Transaction<Tables>,
  { id: chatId, type }: Access['chat'],
  actor: User,
  endedRole: ChatRole,
): Promise<Message[]> {
  if (type !== 'GROUP' || endedRole !== 'OWNER' || (await hasOwner(tx, chatId))) return [];
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
