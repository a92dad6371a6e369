import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChatError } from '../../../model/errors.ts';
import type { User } from '../../../model/user.ts';
import { holdChat, lockWaits } from '../../../testing/faults/row-lock.ts';
import { auditOf, messagesOf } from '../../../testing/services/chat-state.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Guard } from '../../guard.ts';
import { nextNumber } from './next-number.ts';
import { withLockedChat } from './with-locked-chat.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [alice, bob, carol] = [user('alice'), user('bob'), user('carol')];

/** A group of alice and bob with one message; the next number is 3. */
async function newChat(): Promise<{ chatId: string; messageId: string }> {
  const { chat } = await storage.chats.createGroup(alice, randomUUID(), ['bob']);
  const [stored] = await storage.messages.appendBatch([newMessage(chat.id, 'bob')], ['MEMBER']);
  return { chatId: chat.id, messageId: stored!.messageId };
}

/** A durable change of a kind that the service does not have. */
function rewrite(
  { chatId, messageId }: { chatId: string; messageId: string },
  actor: User,
  text: string,
  guard: Guard,
): Promise<number> {
  return withLockedChat(storage.database.db, { chatId, actor }, guard, async ({ tx }) => {
    const { seq, at } = await nextNumber(tx, chatId);
    const row = { chat_id: chatId, seq, message_seq: 2, actor_id: actor.id, created_at: at } as const;
    await tx
      .insertInto('changes')
      .values({ ...row, kind: 'edited', client_change_id: null, digest: null })
      .execute();
    await tx
      .updateTable('messages')
      .set({ text, update_seq: seq })
      .where('chat_id', '=', chatId)
      .where('id', '=', messageId)
      .execute();
    if (text === '') throw new Error('nothing to write');
    return seq;
  });
}

describe('a durable change', () => {
  test('takes the next number of its chat and is read with the changes', async () => {
    const chat = await newChat();
    expect(await rewrite(chat, bob, 'other', allow)).toBe(3);
    expect(await storage.messages.findChanges(chat.chatId, 2, 10)).toMatchObject({
      batch: { entries: [{ kind: 'message_changed', message: { seq: 2, updateSeq: 3, text: 'other' } }] },
      lastSeq: 3,
    });
  });

  test('that fails leaves its number to the next one', async () => {
    const chat = await newChat();
    await expect(rewrite(chat, bob, '', allow)).rejects.toThrow('nothing to write');
    expect(await rewrite(chat, bob, 'other', allow)).toBe(3);
  });

  test('that the guard refuses changes nothing', async () => {
    const chat = await newChat();
    const refuse: Guard = () => {
      throw new Error('refused');
    };
    await expect(rewrite(chat, bob, 'other', refuse)).rejects.toThrow('refused');
    expect(await storage.messages.findChanges(chat.chatId, 2, 10)).toMatchObject({
      batch: { entries: [] },
      lastSeq: 2,
    });
  });

  test('is guarded by the roles that hold once the changes before it have been committed', async () => {
    const chat = await newChat();
    const release = await holdChat(storage.dsn, { id: chat.chatId });
    const removed = storage.members.remove(chat.chatId, alice, 'bob', allow);
    await lockWaits(storage.dsn, 1);
    const roles: unknown[] = [];
    const changed = rewrite(chat, bob, 'other', ({ role }) => roles.push(role));
    await lockWaits(storage.dsn, 2);
    await release();
    const [{ seq } = { seq: 0 }] = await removed;
    expect([await changed, roles]).toEqual([seq + 1, [undefined]]);
  });

  test('of a chat that does not exist is refused before the guard is asked', async () => {
    const chat = { chatId: randomUUID(), messageId: randomUUID() };
    const refuse: Guard = () => {
      throw new Error('asked');
    };
    await expect(rewrite(chat, bob, 'other', refuse)).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  });
});

test('a guard sees the chat and both roles under the lock, and what it refuses changes nothing', async () => {
  const { chat: group } = await storage.chats.createGroup(alice, 'group', ['bob']);
  const chatId = group.id;
  const seen: unknown[] = [];
  const refuse: Guard = (access) => {
    seen.push(access);
    throw new ChatError('ROLE_TOO_LOW', 'no');
  };
  const before = [
    await messagesOf(storage, chatId),
    await auditOf(storage, chatId),
    await storage.members.list(chatId, 10),
  ];
  const uses = [
    () => storage.chats.delete(chatId, bob, refuse),
    () => storage.members.leave(chatId, bob, refuse),
    () => storage.members.add(chatId, alice, ['carol'], refuse),
    () => storage.members.remove(chatId, carol, 'bob', refuse),
    () => storage.members.setRole(chatId, alice, 'bob', 'ADMIN', refuse),
    () => storage.chatBans.ban(chatId, bob, { userId: 'alice', reason: '' }, refuse),
    () => storage.chatBans.lift(chatId, alice, 'carol', refuse),
  ];
  for (const use of uses) await expect(use()).rejects.toMatchObject({ reason: 'ROLE_TOO_LOW' });
  const chat = { id: chatId, type: 'GROUP' };
  expect(seen).toEqual([
    { chat, role: 'MEMBER' },
    { chat, role: 'MEMBER' },
    { chat, role: 'OWNER' },
    { chat, role: undefined, targetRole: 'MEMBER' },
    { chat, role: 'OWNER', targetRole: 'MEMBER' },
    { chat, role: 'MEMBER', targetRole: 'OWNER' },
    { chat, role: 'OWNER' },
  ]);
  expect((await storage.chatBans.list(chatId, 10)).items).toEqual([]);
  expect([
    await messagesOf(storage, chatId),
    await auditOf(storage, chatId),
    await storage.members.list(chatId, 10),
  ]).toEqual(before);
});
