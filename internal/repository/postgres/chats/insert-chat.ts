import type { Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { ChatType } from '../../../model/chat.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { User } from '../../../model/user.ts';
import { audit } from '../audit/audit.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import type { Tables } from '../connection/tables.ts';
import { insertMembers } from '../members/member-rows.ts';

/**
 * Creates a chat with its members and returns its first system message. No other transaction sees the chat before the commit, so there is
 * nothing to lock. Undefined if the name of the room or the pair of the direct chat is taken. Throws RESOURCE_EXHAUSTED (MEMBER_LIMIT).
 */
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
  await insertMembers(tx, id, members, maxMembers);
  await audit(tx, creator, 'chat.create', id, { type, name, members: members.map((member) => member.id) });
  return insertSystemMessage(tx, id, creator, { kind: 'chat_created' });
}
