import type { ChatRole } from '../../model/member.ts';
import type { Message } from '../../model/message.ts';
import type { TestStorage } from './test-storage.ts';

/** Returns all messages of the chat, in their order. */
export async function messagesOf({ messages }: TestStorage, chatId: string): Promise<Message[]> {
  return (await messages.listHistory(chatId, { afterSeq: 0 }, 1_000)).messages;
}

/** Each member's role, by user id. */
export async function rolesOf({ members }: TestStorage, chatId: string): Promise<Record<string, ChatRole>> {
  const { items } = await members.list(chatId, 100);
  return Object.fromEntries(items.map(({ user, role }) => [user.id, role]));
}

/** The number of the chat's last change; undefined if the chat does not exist. */
export async function lastSeqOf({ messages }: TestStorage, chatId: string): Promise<number | undefined> {
  return (await messages.listHeads([chatId])).get(chatId);
}

/** The membership version of each user, in their order; 0 for users never seen. */
export async function versionsOf({ memberships }: TestStorage, ...userIds: string[]): Promise<number[]> {
  const found = await memberships.listVersions(userIds);
  return userIds.map((userId) => found.get(userId) ?? 0);
}

/** The chat's rows of the audit log, in their order: actor, action, detail. */
export async function auditOf({ database }: TestStorage, chatId: string): Promise<[string, string, unknown][]> {
  const { rows } = await database.pool.query(
    'select actor_id, action, detail from audit_log where chat_id = $1 order by id',
    [chatId],
  );
  return rows.map(({ actor_id, action, detail }) => [actor_id, action, detail]);
}
