import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message } from '../../../model/message.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [alice, bob, carol] = [user('alice'), user('bob'), user('carol')];

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', memberIds)).chat.id;
}

async function log(chatId: string): Promise<Message[]> {
  return (await storage.messages.listHistory(chatId, { afterSeq: 0 }, 1_000)).messages;
}

describe('the ownership of a group', () => {
  const roles = (chatId: string, given: Record<string, string>) =>
    Promise.all(
      Object.entries(given).map(([userId, role]) =>
        storage.database.pool.query('update members set role = $3 where chat_id = $1 and user_id = $2', [
          chatId,
          userId,
          role,
        ]),
      ),
    );

  test.each([
    ['the administrator who has been in it the longest', { b: 'READER', c: 'MEMBER', d: 'ADMIN' }, 'd'],
    ['or else the member', { b: 'READER', c: 'MEMBER', d: 'MEMBER' }, 'c'],
    ['or else whoever there is', { b: 'READER', c: 'READER', d: 'READER' }, 'b'],
  ])('passes to %s when the last owner leaves', async (_, given, heir) => {
    const chatId = await newGroup();
    for (const userId of ['b', 'c', 'd', 'e']) await storage.chats.addMembers(chatId, alice, [userId], allow);
    await roles(chatId, { ...given, e: given.d });

    const messages = await storage.chats.leave(chatId, alice, allow);

    expect(messages.map(({ system }) => system)).toEqual([
      { kind: 'member_left' },
      { kind: 'owner_changed', user: { id: heir, name: '' } },
    ]);
    expect((await log(chatId)).slice(-2)).toEqual(messages);
    expect((await storage.chats.findMembership(chatId, heir))?.role).toBe('OWNER');
  });

  test('passes on also when the last owner is taken out, by whomever', async () => {
    const chatId = await newGroup(['bob']);
    const messages = await storage.chats.removeMember(chatId, alice, 'alice', allow);
    expect(messages.map(({ system }) => system?.kind)).toEqual(['member_removed', 'owner_changed']);
    expect((await storage.chats.findMembership(chatId, 'bob'))?.role).toBe('OWNER');
  });

  test('does not pass on while another owner is left, nor in a room, and an empty group is nobody’s', async () => {
    const chatId = await newGroup(['bob', 'carol']);
    await roles(chatId, { bob: 'OWNER' });
    expect(await storage.chats.leave(chatId, alice, allow)).toHaveLength(1);
    expect(await storage.chats.leave(chatId, carol, allow)).toHaveLength(1);
    expect(await storage.chats.leave(chatId, bob, allow)).toHaveLength(1);

    const { chat } = await storage.chats.createRoom(alice, randomUUID(), ['bob']);
    expect(await storage.chats.leave(chat.id, alice, allow)).toHaveLength(1);
    expect((await storage.chats.findMembership(chat.id, 'bob'))?.role).toBe('MEMBER');
  });
});
