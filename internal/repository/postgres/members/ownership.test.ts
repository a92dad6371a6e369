import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdChat, lockWaits } from '../../../testing/faults/row-lock.ts';
import { lastSeqOf, messagesOf, rolesOf } from '../../../testing/services/chat-state.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Guard } from '../../guard.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [alice, bob, carol] = [user('alice'), user('bob'), user('carol')];

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', memberIds)).chat.id;
}

async function newRoom(memberIds: string[] = []): Promise<{ id: string; name: string }> {
  return (await storage.chats.createRoom(alice, randomUUID(), memberIds)).chat;
}

describe('the ownership of a group', () => {
  const setRoles = (chatId: string, given: Record<string, string>) =>
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
    ['the administrator of longest standing', { b: 'READER', c: 'MEMBER', d: 'ADMIN' }, 'd'],
    ['the member of longest standing, without an administrator', { b: 'READER', c: 'MEMBER', d: 'MEMBER' }, 'c'],
    ['the reader of longest standing, without either', { b: 'READER', c: 'READER', d: 'READER' }, 'b'],
  ])('passes to %s when the last owner leaves', async (_, given, heir) => {
    const chatId = await newGroup();
    for (const userId of ['b', 'c', 'd', 'e']) await storage.members.add(chatId, alice, [userId], allow);
    await setRoles(chatId, { ...given, e: given.d });

    const messages = await storage.members.leave(chatId, alice, allow);

    expect(messages.map(({ system }) => system)).toEqual([
      { kind: 'member_left' },
      { kind: 'owner_changed', user: { id: heir, name: '' } },
    ]);
    expect((await messagesOf(storage, chatId)).slice(-2)).toEqual(messages);
    expect((await storage.memberships.find(chatId, heir))?.role).toBe('OWNER');
  });

  test('passes on also when the last owner is removed', async () => {
    const chatId = await newGroup(['bob']);
    const messages = await storage.members.remove(chatId, alice, 'alice', allow);
    expect(messages.map(({ system }) => system?.kind)).toEqual(['member_removed', 'owner_changed']);
    expect((await storage.memberships.find(chatId, 'bob'))?.role).toBe('OWNER');
  });

  test('does not pass on while another owner is left, nor in a room, nor in an empty group', async () => {
    const chatId = await newGroup(['bob', 'carol']);
    await setRoles(chatId, { bob: 'OWNER' });
    expect(await storage.members.leave(chatId, alice, allow)).toHaveLength(1);
    expect(await storage.members.leave(chatId, carol, allow)).toHaveLength(1);
    expect(await storage.members.leave(chatId, bob, allow)).toHaveLength(1);

    const { chat } = await storage.chats.createRoom(alice, randomUUID(), ['bob']);
    expect(await storage.members.leave(chat.id, alice, allow)).toHaveLength(1);
    expect((await storage.memberships.find(chat.id, 'bob'))?.role).toBe('MEMBER');
  });
});

describe('the last owner of a group', () => {
  test('stays the owner until there is another one; a room may have none', async () => {
    const [group, room] = [await newGroup(['bob']), await newRoom(['bob'])];
    await expect(storage.members.setRole(group, alice, 'alice', 'ADMIN', allow)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'LAST_OWNER',
    });
    expect([await rolesOf(storage, group), await lastSeqOf(storage, group)]).toEqual([
      { alice: 'OWNER', bob: 'MEMBER' },
      1,
    ]);

    await storage.members.setRole(group, alice, 'bob', 'OWNER', allow);
    await storage.members.setRole(group, alice, 'alice', 'READER', allow);
    expect(await rolesOf(storage, group)).toEqual({ alice: 'READER', bob: 'OWNER' });
    await storage.members.setRole(room.id, alice, 'alice', 'MEMBER', allow);
    expect(await rolesOf(storage, room.id)).toEqual({ alice: 'MEMBER', bob: 'MEMBER' });
  });

  test('is left when two owners demote each other at once', async () => {
    const ownersOnly: Guard = ({ role }) => {
      if (role !== 'OWNER') throw new Error('not an owner any more');
    };
    for (let round = 0; round < 10; round += 1) {
      const chatId = await newGroup(['bob', 'carol']);
      await storage.members.setRole(chatId, alice, 'bob', 'OWNER', allow);
      const release = await holdChat(storage.dsn, { id: chatId });
      const demotions = [
        storage.members.setRole(chatId, alice, 'bob', 'MEMBER', ownersOnly),
        storage.members.setRole(chatId, bob, 'alice', 'MEMBER', round % 2 ? ownersOnly : allow),
      ];
      const settled = Promise.allSettled(demotions);
      await lockWaits(storage.dsn, 2);
      await release();

      const outcomes = (await settled).map(({ status }) => status).sort();
      expect(outcomes).toEqual(['fulfilled', 'rejected']);
      expect(Object.values(await rolesOf(storage, chatId)).sort()).toEqual(['MEMBER', 'MEMBER', 'OWNER']);
    }
  });
});
