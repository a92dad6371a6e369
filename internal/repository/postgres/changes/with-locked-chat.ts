import type { Kysely, Transaction } from 'kysely';
import { ChatError } from '../../../model/errors.ts';
import type { User } from '../../../model/user.ts';
import type { Access, Guard } from '../../guard.ts';
import { chatNotFound } from '../connection/chat-not-found.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import type { Tables } from '../connection/tables.ts';

/** A chat whose row is locked until the transaction ends, and what the guard has seen of it. */
export interface LockedChat {
  tx: Transaction<Tables>;
  access: Access;
}

/**
 * Runs a durable change of a chat in a transaction: locks the chat's row, reads the roles of the actor and of the user that the change is
 * about (`targetId`), calls the guard, runs `work` and returns its result. Nothing is changed when any of these throws.
 *
 * The lock is held until the commit. Changes and messages of one chat therefore run one after the other, and the roles that the guard has
 * seen are still true when the change commits. `work` numbers what it writes with `nextNumber`.
 *
 * Throws NOT_FOUND (CHAT_NOT_FOUND), UNAVAILABLE (STORAGE_UNAVAILABLE), and what the guard and `work` throw.
 */
export function withLockedChat<T>(
  db: Kysely<Tables>,
  { chatId, actor, targetId }: { chatId: string; actor: User; targetId?: string },
  guard: Guard,
  work: (locked: LockedChat) => Promise<T>,
): Promise<T> {
  return inTransaction(db, async (tx) => {
    const access = await lockChat(tx, chatId, actor.id, targetId);
    guard(access);
    return work({ tx, access });
  });
}

/** Like `withLockedChat`, for a room found by its name and without a guard. Throws NOT_FOUND (ROOM_NOT_FOUND). */
export function withLockedRoom<T>(
  db: Kysely<Tables>,
  { name, actor }: { name: string; actor: User },
  work: (locked: LockedChat) => Promise<T>,
): Promise<T> {
  return inTransaction(db, async (tx) => {
    const room = await tx
      .selectFrom('chats')
      .select('id')
      .where('type', '=', 'ROOM')
      .where('name', '=', name)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (!room) throw new ChatError('ROOM_NOT_FOUND', `there is no room "${name}"`);
    return work({ tx, access: await lockChat(tx, room.id, actor.id) });
  });
}

/** Locks the chat's row and then reads the roles, in a second statement that sees every change committed before the lock was granted. */
async function lockChat(tx: Transaction<Tables>, chatId: string, userId: string, targetId?: string): Promise<Access> {
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
