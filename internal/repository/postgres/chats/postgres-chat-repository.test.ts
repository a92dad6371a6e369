import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditOf, messagesOf, rolesOf, versionsOf } from '../../../testing/services/chat-state.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Creator } from '../../chat-repository.ts';
import { pruneDeletedChats } from './prune-deleted-chats.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage({ maxMembers: 5 });
});
afterAll(() => storage.close());

const [alice, bob, _carol] = [user('alice'), user('bob'), user('carol')];

async function newGroup(memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', memberIds)).chat.id;
}

describe('a direct chat', () => {
  test('is the only one of its two users, also when both open it many times at once', async () => {
    const [one, other] = [user(randomUUID()), user(randomUUID())];

    const opened = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        i % 2 ? storage.chats.openDirect(one, other.id) : storage.chats.openDirect(other, one.id),
      ),
    );

    expect(new Set(opened.map(({ chat }) => chat.id)).size).toBe(1);
    expect(opened.filter(({ created }) => created)).toHaveLength(1);
    expect(opened.filter(({ message }) => message)).toHaveLength(1);
    expect(await messagesOf(storage, opened[0]!.chat.id)).toHaveLength(1);
  });

  test('shows each of the two the other, and both own it', async () => {
    await storage.users.remember(bob);
    const { chat, created, message } = await storage.chats.openDirect(alice, 'bob');

    expect(created).toBe(true);
    expect(message).toMatchObject({ seq: 1, sender: alice, system: { kind: 'chat_created' } });
    expect(chat).toMatchObject({ type: 'DIRECT', name: '', createdBy: 'alice', memberCount: 2, lastSeq: 1, peer: bob });
    expect(chat.own).toEqual({
      role: 'OWNER',
      joinedSeq: 1,
      readSeq: 0,
      readGeneration: 0,
      unreadCount: 0,
      mentionCount: 0,
    });
    expect(await storage.chats.get(chat.id, 'bob')).toMatchObject({ peer: alice, own: { role: 'OWNER' } });
  });

  test('can be opened again after it was deleted', async () => {
    const { chat } = await storage.chats.openDirect(user('d1'), 'd2');
    await storage.chats.delete(chat.id, user('d1'), allow);
    const again = await storage.chats.openDirect(user('d2'), 'd1');
    expect(again).toMatchObject({ created: true });
    expect(again.chat.id).not.toBe(chat.id);
  });

  test('is not confused with that of users whose joined ids look alike', async () => {
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
    expect(chat.own).toEqual({
      role: 'OWNER',
      joinedSeq: 1,
      readSeq: 0,
      readGeneration: 0,
      unreadCount: 0,
      mentionCount: 0,
    });
    expect(message).toEqual((await messagesOf(storage, chat.id))[0]);
    const { items } = await storage.members.list(chat.id, 10);
    expect(items.map(({ user, role }) => [user.id, role])).toEqual([
      ['alice', 'OWNER'],
      ['bob', 'MEMBER'],
      ['carol', 'MEMBER'],
    ]);
  });

  test('has no more members than allowed', async () => {
    await expect(storage.chats.createGroup(alice, 'x', ['b', 'c', 'd', 'e', 'f'])).rejects.toMatchObject({
      reason: 'MEMBER_LIMIT',
    });
    await expect(storage.chats.createRoom(alice, randomUUID(), ['b', 'c', 'd', 'e', 'f'])).rejects.toMatchObject({
      reason: 'MEMBER_LIMIT',
    });
  });
});

describe('a room', () => {
  test('has a unique name, also when many create it at once', async () => {
    const name = randomUUID();
    const results = await Promise.allSettled(
      ['a', 'b', 'c', 'd', 'e'].map((userId) => storage.chats.createRoom(user(userId), name, [])),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason.reason).toBe('ROOM_EXISTS');
    await expect(storage.chats.createRoom(alice, name.toUpperCase(), [])).resolves.toBeDefined();
  });

  test('is joined once by a user who joins many times at once', async () => {
    await storage.chats.ensureRooms(['lobby', 'lobby', 'other']);
    await storage.chats.ensureRooms(['lobby', 'new']);
    await storage.chats.ensureRooms([]);

    const joined = await Promise.all(Array.from({ length: 6 }, () => storage.chats.joinRoom('lobby', alice)));

    expect(joined.filter(({ message }) => message)).toHaveLength(1);
    const { id } = joined[0]!.chat;
    expect((await messagesOf(storage, id)).map(({ system }) => system)).toEqual([{ kind: 'member_joined' }]);
    expect(joined.every(({ chat }) => chat.id === id && chat.own?.joinedSeq === 1 && chat.memberCount === 1)).toBe(
      true,
    );
    expect(joined[0]!.chat.createdBy).toBe('');
  });

  test('cannot be joined if it does not exist or is full', async () => {
    await expect(storage.chats.joinRoom('nowhere', alice)).rejects.toMatchObject({ reason: 'ROOM_NOT_FOUND' });
    await storage.chats.createRoom(user('a'), 'five', ['b', 'c', 'd', 'e']);
    await expect(storage.chats.joinRoom('five', user('f'))).rejects.toMatchObject({ reason: 'MEMBER_LIMIT' });
    await expect(storage.chats.joinRoom('five', user('a'))).resolves.toMatchObject({ chat: { memberCount: 5 } });
  });
});

describe('a backend that creates a chat for users', () => {
  const backend: Creator = { id: 'service:shop', name: 'Shop', external: true };

  test('does not become a member; the first named user is the owner', async () => {
    const { chat, message } = await storage.chats.createGroup(backend, 'order 7', ['bob', 'alice', 'bob']);
    expect(await rolesOf(storage, chat.id)).toEqual({ bob: 'OWNER', alice: 'MEMBER' });
    expect(chat).toMatchObject({ createdBy: backend.id, memberCount: 2 });
    expect(chat.own).toBeUndefined();
    expect(message).toMatchObject({ seq: 1, sender: { id: backend.id, name: 'Shop' } });
    expect(await auditOf(storage, chat.id)).toEqual([
      [backend.id, 'chat.create', expect.objectContaining({ type: 'GROUP' })],
    ]);
  });

  test('can create a room without members', async () => {
    const { chat } = await storage.chats.createRoom(backend, randomUUID(), []);
    expect([chat.memberCount, await rolesOf(storage, chat.id)]).toEqual([0, {}]);
  });

  test('opens the one direct chat of two users and sees neither as its peer', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const opened = await storage.chats.openDirect(backend, other, one);
    expect([opened.created, await rolesOf(storage, opened.chat.id)]).toEqual([
      true,
      { [one]: 'OWNER', [other]: 'OWNER' },
    ]);
    expect(opened.chat).not.toHaveProperty('peer');
    const again = await storage.chats.openDirect(user(other), one);
    expect([again.created, again.chat.id, again.chat.peer?.id]).toEqual([false, opened.chat.id, one]);
  });
});

test('a deleted chat leaves nothing but its audit rows, and returns the ids of its members', async () => {
  const chatId = await newGroup(['bob']);
  const before = await versionsOf(storage, 'alice', 'bob');
  await storage.chatBans.ban(chatId, alice, { userId: 'carol', reason: '' }, allow);
  expect((await storage.chats.delete(chatId, alice, allow)).sort()).toEqual(['alice', 'bob']);
  await pruneDeletedChats(storage.database.db, 100);
  for (const table of ['members', 'messages', 'chat_bans']) {
    const { rowCount } = await storage.database.pool.query(`select from ${table} where chat_id = $1`, [chatId]);
    expect(rowCount).toBe(0);
  }
  expect(await versionsOf(storage, 'alice', 'bob')).toEqual(before.map((version) => version + 1));
  const uses = [
    () => storage.chats.get(chatId, 'alice'),
    () => storage.chats.delete(chatId, alice, allow),
    () => storage.members.leave(chatId, alice, allow),
    () => storage.members.add(chatId, alice, ['bob'], allow),
    () => storage.members.remove(chatId, alice, 'bob', allow),
    () => storage.members.setRole(chatId, alice, 'bob', 'ADMIN', allow),
    () => storage.chatBans.ban(chatId, alice, { userId: 'bob', reason: '' }, allow),
    () => storage.chatBans.lift(chatId, alice, 'bob', allow),
  ];
  for (const use of uses) await expect(use()).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  expect(await storage.memberships.find(chatId, 'alice')).toBeUndefined();
});
