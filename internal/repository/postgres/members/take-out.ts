import type { Transaction } from 'kysely';
import type { ChatRole } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { User } from '../../../model/user.ts';
import type { Access } from '../../guard.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';
import { deleteMember } from './member-rows.ts';
import { passOwnership } from './ownership.ts';

/**
 * Ends the membership of a user who has been removed or banned, and passes ownership on. Returns the system messages, in their order. The
 * chat's row must be locked; `role` is the member's role.
 */
export async function takeOut(
  tx: Transaction<Tables>,
  chat: Access['chat'],
  actor: User,
  { userId, role, banned }: { userId: string; role: ChatRole; banned: boolean },
): Promise<Message[]> {
  await deleteMember(tx, chat.id, userId);
  const user = await getUser(tx, userId);
  const event = { kind: 'member_removed' as const, user, ...(banned && { banned }) };
  const removal = await insertSystemMessage(tx, chat.id, actor, event);
  return [removal, ...(await passOwnership(tx, chat, actor, role))];
}
