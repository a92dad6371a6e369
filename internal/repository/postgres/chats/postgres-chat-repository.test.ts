import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChatError } from '../../../model/errors.ts';
import type { Message } from '../../../model/message.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Guard } from '../../chat-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage({ maxMembers: 5 });
});
afterAll(() => storage.close());

const [alice, bob, carol] = [user('alice'), user('bob'), user('carol')];

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', memberIds)).chat.id;
}

async function log(chatId: string): Promise<Message[]> {
  return (await storage.messages.listHistory(chatId, { afterSeq: 0 }, 1_000)).messages;
}

async function audit(chatId: string): Promise<{ actor_id: string; action: string; detail: unknown }[]> {
  const { rows } = await storage.database.pool.query(
    'select actor_id, action, detail from audit_log where chat_id = $1 order by id',
    [chatId],
  );
  return rows;
}

async function versions(...userIds: string[]): Promise<number[]> {
  const found = await storage.chats.listMembershipVersions(userIds);
  return userIds.map((userId) => found.get(userId) ?? 0);
}

describe('a direct chat', () => {
  test('is the pair’s only one, from whichever side and however many at once', async () => {
    const [one, other] = [user(randomUUID()), user(randomUUID())];

    const opened = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        i % 2 ? storage.chats.openDirect(one, other.id) : storage.chats.openDirect(other, one.id),
      ),
    );

    expect(new Set(opened.map(({ chat }) => chat.id)).size).toBe(1);
    expect(opened.filter(({ created }) => created)).toHaveLength(1);
    expect(opened.filter(({ message }) => message)).toHaveLength(1);
    expect(await log(opened[0]!.chat.id)).toHaveLength(1);
  });

  test('shows each of the two the other, and both own it', async () => {
    await storage.chats.rememberUser(bob);
    const { chat, created, message } = await storage.chats.openDirect(alice, 'bob');

    expect(created).toBe(true);
    expect(message).toMatchObject({ seq: 1, sender: alice, system: { kind: 'chat_created' } });
    expect(chat).toMatchObject({ type: 'DIRECT', name: '', createdBy: 'alice', memberCount: 2, lastSeq: 1, peer: bob });
    expect(chat.own).toEqual({ role: 'OWNER', joinedSeq: 1, readSeq: 0, unreadCount: 0 });
    expect(await storage.chats.get(chat.id, 'bob')).toMatchObject({ peer: alice, own: { role: 'OWNER' } });
  });

  test('can be opened anew after it was deleted', async () => {
    const { chat } = await storage.chats.openDirect(user('d1'), 'd2');
    await storage.chats.delete(chat.id, user('d1'), allow);
    const again = await storage.chats.openDirect(user('d2'), 'd1');
    expect(again).toMatchObject({ created: true });
    expect(again.chat.id).not.toBe(chat.id);
  });

  test('is not mixed up with that of users whose ids look alike when joined', async () => {
    const chats = await Promise.all([
      storage.chats.openDirect(user('a,b'), 'c'),
      storage.chats.openDirect(user('a'), 'b,c'),
      storage.chats.openDirect(user('a","b'), 'c'),
    ]);
    expect(new Set(chats.map(({ chat }) => chat.id)).size).toBe(3);
  });
});

describe('a group', () => {
  test('begins with its owner and members, each once', async () => {
    const { chat, message } = await storage.chats.createGroup(alice, 'title', ['bob', 'alice', 'carol']);

    expect(chat).toMatchObject({ type: 'GROUP', name: 'title', memberCount: 3, lastSeq: 1, createdBy: 'alice' });
    expect(chat.own).toEqual({ role: 'OWNER', joinedSeq: 1, readSeq: 0, unreadCount: 0 });
    expect(message).toEqual((await log(chat.id))[0]);
    const { items } = await storage.chats.listMembers(chat.id, 10);
    expect(items.map(({ user, role }) => [user.id, role])).toEqual([
      ['alice', 'OWNER'],
      ['bob', 'MEMBER'],
      ['carol', 'MEMBER'],
    ]);
  });

  test('takes in those who are not members yet, and records who they are by the names they are known by', async () => {
    const chatId = await newGroup(['bob']);
    await storage.chats.rememberUser(carol);
    const before = await versions('bob', 'carol', 'new');

    const { added, message } = await storage.chats.addMembers(chatId, bob, ['bob', 'carol', 'new'], allow);

    expect(added.map(({ user, role }) => [user, role])).toEqual([
      [carol, 'MEMBER'],
      [{ id: 'new', name: '' }, 'MEMBER'],
    ]);
    expect(message).toMatchObject({
      seq: 2,
      sender: bob,
      system: { kind: 'members_added', users: added.map((m) => m.user) },
    });
    expect(await storage.chats.findMembership(chatId, 'new')).toEqual({
      chatId,
      role: 'MEMBER',
      joinedSeq: 2,
      lastSeq: 2,
      memberCount: 4,
    });
    expect((await storage.chats.get(chatId, 'x')).memberCount).toBe(4);
    expect(await versions('bob', 'carol', 'new')).toEqual([before[0], before[1]! + 1, before[2]! + 1]);
  });

  test('stays as it is when there is nobody to take in', async () => {
    const chatId = await newGroup(['bob']);
    expect(await storage.chats.addMembers(chatId, alice, ['bob'], allow)).toEqual({ added: [] });
    expect(await log(chatId)).toHaveLength(1);
  });

  test('lets go of a member, and only of a member', async () => {
    await storage.chats.rememberUser(bob);
    const chatId = await newGroup(['bob']);
    const [before] = await versions('bob');

    await storage.chats.removeMember(chatId, alice, 'bob', allow);

    expect((await log(chatId)).at(-1)).toMatchObject({
      seq: 2,
      sender: alice,
      system: { kind: 'member_removed', user: bob },
    });
    expect((await storage.chats.get(chatId, 'bob')).own).toBeUndefined();
    expect((await storage.chats.get(chatId, 'alice')).memberCount).toBe(1);
    expect(await versions('bob')).toEqual([before! + 1]);
    await expect(storage.chats.removeMember(chatId, alice, 'bob', allow)).rejects.toMatchObject({
      reason: 'MEMBER_NOT_FOUND',
    });
    await expect(storage.chats.leave(chatId, bob, allow)).rejects.toMatchObject({ reason: 'NOT_A_MEMBER' });
    expect((await log(chatId)).at(-1)?.seq).toBe(2);
  });

  test('has no more members than allowed, also when many are added at once', async () => {
    const chatId = await newGroup(['bob']);
    const results = await Promise.allSettled(
      ['c', 'd', 'e', 'f', 'g'].map((userId) => storage.chats.addMembers(chatId, alice, [userId], allow)),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => reason.reason)).toEqual(['MEMBER_LIMIT', 'MEMBER_LIMIT']);
    expect((await storage.chats.get(chatId, 'alice')).memberCount).toBe(5);
    await expect(storage.chats.createGroup(alice, 'x', ['b', 'c', 'd', 'e', 'f'])).rejects.toMatchObject({
      reason: 'MEMBER_LIMIT',
    });
    await expect(storage.chats.createRoom(alice, 'full', ['b', 'c', 'd', 'e', 'f'])).rejects.toMatchObject({
      reason: 'MEMBER_LIMIT',
    });
  });
});

describe('a room', () => {
  test('has a name of its own, however many try at once', async () => {
    const name = randomUUID();
    const results = await Promise.allSettled(
      ['a', 'b', 'c', 'd', 'e'].map((userId) => storage.chats.createRoom(user(userId), name, [])),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason.reason).toBe('ROOM_EXISTS');
    await expect(storage.chats.createRoom(alice, name.toUpperCase(), [])).resolves.toBeDefined();
  });

  test('is joined once, however often and from how many places at once', async () => {
    await storage.chats.ensureRooms(['lobby', 'lobby', 'other']);
    await storage.chats.ensureRooms(['lobby', 'new']);
    await storage.chats.ensureRooms([]);

    const joined = await Promise.all(Array.from({ length: 6 }, () => storage.chats.joinRoom('lobby', alice)));

    expect(joined.filter(({ message }) => message)).toHaveLength(1);
    const { id } = joined[0]!.chat;
    expect((await log(id)).map(({ system }) => system)).toEqual([{ kind: 'member_joined' }]);
    expect(joined.every(({ chat }) => chat.id === id && chat.own?.joinedSeq === 1 && chat.memberCount === 1)).toBe(
      true,
    );
    expect(joined[0]!.chat.createdBy).toBe('');
  });

  test('that is not there or full cannot be joined', async () => {
    await expect(storage.chats.joinRoom('nowhere', alice)).rejects.toMatchObject({ reason: 'ROOM_NOT_FOUND' });
    await storage.chats.createRoom(user('a'), 'five', ['b', 'c', 'd', 'e']);
    await expect(storage.chats.joinRoom('five', user('f'))).rejects.toMatchObject({ reason: 'MEMBER_LIMIT' });
    await expect(storage.chats.joinRoom('five', user('a'))).resolves.toMatchObject({ chat: { memberCount: 5 } });
  });
});

test('a deleted chat leaves nothing of itself but the audit, and tells who its members were', async () => {
  const chatId = await newGroup(['bob']);
  const before = await versions('alice', 'bob');
  await storage.chats.banMember(chatId, alice, { userId: 'carol', reason: '' }, allow);
  expect((await storage.chats.delete(chatId, alice, allow)).sort()).toEqual(['alice', 'bob']);
  await storage.chats.pruneDeleted(100);
  for (const table of ['members', 'messages', 'chat_bans']) {
    const { rowCount } = await storage.database.pool.query(`select from ${table} where chat_id = $1`, [chatId]);
    expect(rowCount).toBe(0);
  }
  expect(await versions('alice', 'bob')).toEqual(before.map((version) => version + 1));
  const uses = [
    () => storage.chats.get(chatId, 'alice'),
    () => storage.chats.delete(chatId, alice, allow),
    () => storage.chats.leave(chatId, alice, allow),
    () => storage.chats.addMembers(chatId, alice, ['bob'], allow),
    () => storage.chats.removeMember(chatId, alice, 'bob', allow),
    () => storage.chats.updateMember(chatId, alice, 'bob', 'ADMIN', allow),
    () => storage.chats.banMember(chatId, alice, { userId: 'bob', reason: '' }, allow),
    () => storage.chats.unbanMember(chatId, alice, 'bob', allow),
  ];
  for (const use of uses) await expect(use()).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  expect(await storage.chats.findMembership(chatId, 'alice')).toBeUndefined();
});

test('the messages of deleted chats go in pieces, and those of no other chat', async () => {
  await storage.database.pool.query('delete from deleted_chats');
  const chatIds = [await newGroup(['bob']), await newGroup(['bob']), await newGroup(['bob'])];
  const [first, second, kept] = chatIds as [string, string, string];
  for (const chatId of chatIds) await storage.chats.addMembers(chatId, alice, ['carol'], allow);
  await storage.chats.delete(first, alice, allow);
  await storage.chats.delete(second, alice, allow);
  const left = () => Promise.all(chatIds.map(async (chatId) => (await log(chatId)).length));

  expect(await left()).toEqual([2, 2, 2]);
  expect(await storage.chats.pruneDeleted(3)).toBe(3);
  expect((await left()).reduce((sum, count) => sum + count)).toBe(3);
  expect(await storage.chats.pruneDeleted(3)).toBe(1);
  expect(await left()).toEqual([0, 0, 2]);
  expect((await storage.database.pool.query('select from deleted_chats')).rowCount).toBe(0);
  await expect(storage.chats.get(kept, 'alice')).resolves.toMatchObject({ id: kept });
});

test('a guard sees the chat and both roles under the lock, and what it refuses changes nothing', async () => {
  const chatId = await newGroup(['bob']);
  const seen: unknown[] = [];
  const refuse: Guard = (access) => {
    seen.push(access);
    throw new ChatError('ROLE_TOO_LOW', 'no');
  };
  const before = [await log(chatId), await audit(chatId), await storage.chats.listMembers(chatId, 10)];
  const uses = [
    () => storage.chats.delete(chatId, bob, refuse),
    () => storage.chats.leave(chatId, bob, refuse),
    () => storage.chats.addMembers(chatId, alice, ['carol'], refuse),
    () => storage.chats.removeMember(chatId, carol, 'bob', refuse),
    () => storage.chats.updateMember(chatId, alice, 'bob', 'ADMIN', refuse),
    () => storage.chats.banMember(chatId, bob, { userId: 'alice', reason: '' }, refuse),
    () => storage.chats.unbanMember(chatId, alice, 'carol', refuse),
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
  expect((await storage.chats.listBans(chatId, 10)).items).toEqual([]);
  expect([await log(chatId), await audit(chatId), await storage.chats.listMembers(chatId, 10)]).toEqual(before);
});

test('every change of a chat’s members leaves a row in the audit log, in the same transaction', async () => {
  const { chat } = await storage.chats.createRoom(alice, randomUUID(), ['bob']);
  await storage.chats.addMembers(chat.id, alice, ['carol'], allow);
  await storage.chats.removeMember(chat.id, alice, 'carol', allow);
  await storage.chats.leave(chat.id, bob, allow);
  await storage.chats.joinRoom(chat.name, carol);
  await storage.chats.delete(chat.id, alice, allow);

  expect((await audit(chat.id)).map(({ actor_id, action }) => `${actor_id} ${action}`)).toEqual([
    'alice chat.create',
    'alice members.add',
    'alice members.remove',
    'bob members.leave',
    'carol members.join',
    'alice chat.delete',
  ]);
  expect((await audit(chat.id))[1]?.detail).toEqual({ users: ['carol'] });
});
