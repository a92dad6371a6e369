import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectPages } from '../../../testing/collect-pages.ts';
import { auditOf, lastSeqOf, messagesOf, rolesOf, versionsOf } from '../../../testing/services/chat-state.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage({ maxMembers: 16 });
});
afterAll(() => storage.close());

const [alice, bob, carol] = [user('alice'), user('bob'), user('carol')];

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', memberIds)).chat.id;
}

describe('a group', () => {
  test('adds users who are not members yet, and records them under their stored names', async () => {
    const chatId = await newGroup(['bob']);
    await storage.users.remember(carol);
    const before = await versionsOf(storage, 'bob', 'carol', 'new');

    const { added, message } = await storage.members.add(chatId, bob, ['bob', 'carol', 'new'], allow);

    expect(added.map(({ user, role }) => [user, role])).toEqual([
      [carol, 'MEMBER'],
      [{ id: 'new', name: '' }, 'MEMBER'],
    ]);
    expect(message).toMatchObject({
      seq: 2,
      sender: bob,
      system: { kind: 'members_added', users: added.map((m) => m.user) },
    });
    expect(await storage.memberships.find(chatId, 'new')).toEqual({
      chatId,
      role: 'MEMBER',
      joinedSeq: 2,
      lastSeq: 2,
      memberCount: 4,
    });
    expect((await storage.chats.get(chatId, 'x')).memberCount).toBe(4);
    expect(await versionsOf(storage, 'bob', 'carol', 'new')).toEqual([before[0], before[1]! + 1, before[2]! + 1]);
  });

  test('is unchanged when all users to add are members', async () => {
    const chatId = await newGroup(['bob']);
    expect(await storage.members.add(chatId, alice, ['bob'], allow)).toEqual({ added: [] });
    expect(await messagesOf(storage, chatId)).toHaveLength(1);
  });

  test('removes a member, and refuses to remove other users', async () => {
    await storage.users.remember(bob);
    const chatId = await newGroup(['bob']);
    const [before] = await versionsOf(storage, 'bob');

    await storage.members.remove(chatId, alice, 'bob', allow);

    expect((await messagesOf(storage, chatId)).at(-1)).toMatchObject({
      seq: 2,
      sender: alice,
      system: { kind: 'member_removed', user: bob },
    });
    expect((await storage.chats.get(chatId, 'bob')).own).toBeUndefined();
    expect((await storage.chats.get(chatId, 'alice')).memberCount).toBe(1);
    expect(await versionsOf(storage, 'bob')).toEqual([before! + 1]);
    await expect(storage.members.remove(chatId, alice, 'bob', allow)).rejects.toMatchObject({
      reason: 'MEMBER_NOT_FOUND',
    });
    await expect(storage.members.leave(chatId, bob, allow)).rejects.toMatchObject({ reason: 'NOT_A_MEMBER' });
    expect((await messagesOf(storage, chatId)).at(-1)?.seq).toBe(2);
  });

  test('has no more members than allowed, also when many are added at once', async () => {
    const chatId = await newGroup(['bob']);
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_, i) => storage.members.add(chatId, alice, [`user ${i}`], allow)),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => reason.reason)).toEqual(['MEMBER_LIMIT', 'MEMBER_LIMIT']);
    expect((await storage.chats.get(chatId, 'alice')).memberCount).toBe(16);
  });
});

describe('the members of a chat', () => {
  test('are paged by id without skips or repeats, for ids of any kind', async () => {
    const ids = ['b', 'B', 'a', 'A', 'é', 'e', 'z', '1', '10', '2', 'guest:x', 'user@x', '~', '日'];
    const { chat } = await storage.chats.createGroup(user('0wner'), 'group', ids);
    for (const limit of [1, 2, 4, 15, 16]) {
      const listed = await collectPages((count, after?: string) => storage.members.list(chat.id, count, after), limit);
      expect(listed.map(({ user }) => user.id).toSorted()).toEqual(['0wner', ...ids].toSorted());
    }
  });

  test('are shown with the names stored last', async () => {
    const { chat } = await storage.chats.createGroup({ id: 'renamed', name: 'old' }, 'group', ['unseen']);
    await storage.users.remember({ id: 'renamed', name: 'new' });
    const { items } = await storage.members.list(chat.id, 10);
    expect(items.map(({ user }) => user)).toEqual([
      { id: 'renamed', name: 'new' },
      { id: 'unseen', name: '' },
    ]);
  });
});

describe('a role', () => {
  test('is changed with a system message and an audit row', async () => {
    await storage.users.remember(bob);
    const chatId = await newGroup(['bob']);

    const { member, message } = await storage.members.setRole(chatId, alice, 'bob', 'ADMIN', allow);

    expect(member).toMatchObject({ user: bob, role: 'ADMIN', joinedAt: expect.any(Date) });
    expect(message).toMatchObject({
      seq: 2,
      sender: alice,
      system: { kind: 'role_changed', user: bob, role: 'ADMIN' },
    });
    expect(await rolesOf(storage, chatId)).toEqual({ alice: 'OWNER', bob: 'ADMIN' });
    expect((await auditOf(storage, chatId)).slice(1)).toEqual([
      ['alice', 'members.role', { user: 'bob', from: 'MEMBER', role: 'ADMIN' }],
    ]);
  });

  test('that the member has already writes neither system message nor audit row', async () => {
    const chatId = await newGroup(['bob']);
    const given = await storage.members.setRole(chatId, alice, 'bob', 'MEMBER', allow);
    expect(given).toEqual({ member: expect.objectContaining({ role: 'MEMBER' }) });
    await storage.members.setRole(chatId, alice, 'alice', 'OWNER', allow);
    expect([await lastSeqOf(storage, chatId), (await auditOf(storage, chatId)).length]).toEqual([1, 1]);
  });

  test('of a user who is not a member cannot be changed', async () => {
    const chatId = await newGroup();
    await expect(storage.members.setRole(chatId, alice, 'bob', 'ADMIN', allow)).rejects.toMatchObject({
      reason: 'MEMBER_NOT_FOUND',
    });
    expect(await lastSeqOf(storage, chatId)).toBe(1);
  });
});
