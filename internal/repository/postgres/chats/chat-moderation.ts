import type { Transaction } from 'kysely';
import type { Ban } from '../../../model/ban.ts';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole, Member } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { User } from '../../../model/user.ts';
import type { Access, NewBan } from '../../chat-repository.ts';
import { audit } from '../audit/audit.ts';
import { insertBan } from '../bans/chat-bans.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';
import { deleteMember, hasOwner, passOwnership } from './chat-changes.ts';

/**
 * Gives a member a role; no message if they have it already. The chat's row is locked. Throws NOT_FOUND (MEMBER_NOT_FOUND),
 * FAILED_PRECONDITION (LAST_OWNER).
 */
export async function changeRole(
  tx: Transaction<Tables>,
  { chat: { id: chatId, type }, targetRole }: Access,
  actor: User,
  userId: string,
  role: ChatRole,
): Promise<{ member: Member; message?: Message }> {
  const row = await tx
    .updateTable('members')
    .set({ role })
    .where('chat_id', '=', chatId)
    .where('user_id', '=', userId)
    .returning(['joined_at', 'read_seq'])
    .executeTakeFirst();
  if (!row) throw memberNotFound();
  const user = await getUser(tx, userId);
  const member = { user, role, joinedAt: row.joined_at, readSeq: row.read_seq };
  if (targetRole === role) return { member };
  if (type === 'GROUP' && targetRole === 'OWNER' && !(await hasOwner(tx, chatId))) {
    throw new ChatError('LAST_OWNER', 'this is the last owner of the group: make somebody else one first');
  }
  await audit(tx, actor, 'members.role', chatId, { user: userId, from: targetRole, role });
  return { member, message: await insertSystemMessage(tx, chatId, actor, { kind: 'role_changed', user, role }) };
}

/** Takes a member out. The chat's row is locked. Throws NOT_FOUND (MEMBER_NOT_FOUND). */
export async function removeMember(
  tx: Transaction<Tables>,
  { chat, targetRole }: Access,
  actor: User,
  userId: string,
): Promise<Message[]> {
  if (!targetRole) throw memberNotFound();
  await audit(tx, actor, 'members.remove', chat.id, { user: userId });
  return takeOut(tx, chat, actor, userId, targetRole, false);
}

/** Bans a user from the chat, or replaces their ban, and takes them out if they are a member. The chat's row is locked. */
export async function banMember(
  tx: Transaction<Tables>,
  { chat, targetRole }: Access,
  actor: User,
  newBan: NewBan,
): Promise<{ ban: Ban; messages: Message[] }> {
  const { userId, reason, expiresAt } = newBan;
  const ban = await insertBan(tx, chat.id, actor, newBan);
  await audit(tx, actor, 'members.ban', chat.id, { user: userId, reason, expires_at: expiresAt });
  return { ban, messages: targetRole ? await takeOut(tx, chat, actor, userId, targetRole, true) : [] };
}

/** Ends a membership, records it, and passes ownership on. */
async function takeOut(
  tx: Transaction<Tables>,
  chat: Access['chat'],
  actor: User,
  userId: string,
  role: ChatRole,
  banned: boolean,
): Promise<Message[]> {
  await deleteMember(tx, chat.id, userId);
  const user = await getUser(tx, userId);
  const removal = await insertSystemMessage(tx, chat.id, actor, {
    kind: 'member_removed',
    user,
    ...(banned && { banned }),
  });
  return [removal, ...(await passOwnership(tx, chat, actor, role))];
}

function memberNotFound(): ChatError {
  return new ChatError('MEMBER_NOT_FOUND', 'the user is not a member of this chat');
}
