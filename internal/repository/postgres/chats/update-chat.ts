import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import type { ChatFields } from '../../../model/chat-fields.ts';
import { ChatError } from '../../../model/errors.ts';
import type { Message } from '../../../model/message.ts';
import type { User } from '../../../model/user.ts';
import type { ChatUpdate, UpdatedChat } from '../../chat-repository.ts';
import { audit } from '../audit/audit.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import type { Tables } from '../connection/tables.ts';

/**
 * Returns the outcome of an earlier change with the same `clientChangeId`; undefined if there is none. The chat must be locked: then nobody can use the id
 * meanwhile.
 */
export async function findRepeated(
  tx: Transaction<Tables>,
  chatId: string,
  actor: User,
  { clientChangeId, digest }: ChatUpdate,
): Promise<UpdatedChat | undefined> {
  if (clientChangeId === '') return undefined;
  const prior = await tx
    .selectFrom('changes as e')
    .innerJoin('messages as m', (join) =>
      join.onRef('m.chat_id', '=', 'e.chat_id').onRef('m.seq', '=', 'e.message_seq'),
    )
    .select(['e.kind', 'e.digest', 'e.seq', 'e.created_at', 'm.id'])
    .where('e.chat_id', '=', chatId)
    .where('e.actor_id', '=', actor.id)
    .where('e.client_change_id', '=', clientChangeId)
    .executeTakeFirst();
  if (!prior) return undefined;
  if (prior.kind !== 'chat_updated' || !prior.digest?.equals(digest)) return { outcome: 'reused' };
  return { outcome: 'repeated', receipt: { messageId: prior.id, seq: prior.seq, createdAt: prior.created_at } };
}

/** Changes those of the fields whose value is another one, and records it. The chat must be locked. Throws ALREADY_EXISTS (ROOM_EXISTS). */
export async function updateLockedChat(
  tx: Transaction<Tables>,
  chatId: string,
  actor: User,
  { clientChangeId, digest, fields }: ChatUpdate,
): Promise<UpdatedChat> {
  const { name, ...details } = await readFields(tx, chatId);
  const { from, to } = difference({ name, ...details }, fields);
  if (Object.keys(to).length === 0) return { outcome: 'unchanged' };
  if (to.name !== undefined) await rename(tx, chatId, to.name);
  if (to.description !== undefined || to.data !== undefined) await writeDetails(tx, chatId, { ...details, ...to });
  await audit(tx, actor, 'chat.update', chatId, { from, to });
  const message = await insertSystemMessage(tx, chatId, actor, { kind: 'chat_updated', ...to });
  if (clientChangeId !== '') await keepId(tx, actor, message, clientChangeId, digest);
  return { outcome: 'stored', message };
}

async function readFields(tx: Transaction<Tables>, chatId: string): Promise<ChatFields> {
  const { name, description, data } = await tx
    .selectFrom('chats as c')
    .leftJoin('chat_details as d', 'd.chat_id', 'c.id')
    .select(['c.name', 'd.description', 'd.data'])
    .where('c.id', '=', chatId)
    .executeTakeFirstOrThrow();
  return { name, description: description ?? '', data: data ?? {} };
}

/** Returns the old and the new values of the fields that change. */
function difference(old: ChatFields, fields: Partial<ChatFields>): Record<'from' | 'to', Partial<ChatFields>> {
  const changed = (['name', 'description', 'data'] as const).filter(
    (field) => fields[field] !== undefined && !isDeepStrictEqual(fields[field], old[field]),
  );
  const only = (values: Partial<ChatFields>) => Object.fromEntries(changed.map((field) => [field, values[field]]));
  return { from: only(old), to: only(fields) };
}

async function rename(tx: Transaction<Tables>, chatId: string, name: string): Promise<void> {
  try {
    await tx.updateTable('chats').set({ name }).where('id', '=', chatId).execute();
  } catch (error) {
    if ((error as { constraint?: unknown }).constraint !== 'chats_room_name') throw error;
    throw new ChatError('ROOM_EXISTS', `there is a room "${name}" already`, { cause: error });
  }
}

async function writeDetails(
  tx: Transaction<Tables>,
  chatId: string,
  { description, data }: Omit<ChatFields, 'name'>,
): Promise<void> {
  const row = { description, data: JSON.stringify(data) };
  await tx
    .insertInto('chat_details')
    .values({ chat_id: chatId, ...row })
    .onConflict((conflict) => conflict.column('chat_id').doUpdateSet(row))
    .execute();
}

/** Keeps the id under which a repetition is recognised: beside the ids of changes of messages, so that one index makes all of them unique. */
async function keepId(
  tx: Transaction<Tables>,
  actor: User,
  { chatId, seq, createdAt }: Message,
  clientChangeId: string,
  digest: Buffer,
): Promise<void> {
  const row = { chat_id: chatId, seq, message_seq: seq, actor_id: actor.id, created_at: createdAt };
  await tx
    .insertInto('changes')
    .values({ ...row, kind: 'chat_updated', client_change_id: clientChangeId, digest })
    .execute();
}
