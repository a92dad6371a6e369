import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdChat, lockWaits } from '../../../testing/faults/row-lock.ts';
import { auditOf, lastSeqOf, rolesOf } from '../../../testing/services/chat-state.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

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

async function banned(chatId: string): Promise<string[]> {
  return (await storage.chatBans.list(chatId, 100)).items.map(({ user }) => user.id);
}

/** Lets the chat's bans expire. */
async function expire(chatId: string): Promise<void> {
  await storage.database.pool.query(
    `update chat_bans set expires_at = clock_timestamp() - interval '1 ms' where chat_id = $1`,
    [chatId],
  );
}

const reasonOf = ({ reason }: { reason?: unknown }) => reason;

describe('a ban from a chat', () => {
  test('ends the membership with a system message and an audit row', async () => {
    await storage.users.remember(bob);
    const chatId = await newGroup(['bob']);
    const expiresAt = new Date(Date.now() + 60_000);

    const { ban, messages } = await storage.chatBans.ban(
      chatId,
      alice,
      { userId: 'bob', reason: 'spam', expiresAt },
      allow,
    );

    expect(ban).toEqual({ user: bob, bannedBy: alice, reason: 'spam', createdAt: expect.any(Date), expiresAt });
    expect(messages).toMatchObject([
      { seq: 2, sender: alice, system: { kind: 'member_removed', user: bob, banned: true } },
    ]);
    expect(await rolesOf(storage, chatId)).toEqual({ alice: 'OWNER' });
    expect((await storage.chats.get(chatId, 'alice')).memberCount).toBe(1);
    expect((await auditOf(storage, chatId)).slice(1)).toEqual([
      ['alice', 'members.ban', { user: 'bob', reason: 'spam', expires_at: expiresAt.toISOString() }],
    ]);
  });

  test('of a user who is not a member writes no system message', async () => {
    const chatId = await newGroup();
    const { ban, messages } = await storage.chatBans.ban(chatId, alice, { userId: 'x', reason: '' }, allow);
    expect(ban).toEqual({ user: { id: 'x', name: '' }, bannedBy: alice, reason: '', createdAt: expect.any(Date) });
    expect([messages, await lastSeqOf(storage, chatId), await banned(chatId)]).toEqual([[], 1, ['x']]);
  });

  test('replaces the one before', async () => {
    const chatId = await newGroup();
    const expiresAt = new Date(Date.now() + 60_000);
    await storage.chatBans.ban(chatId, alice, { userId: 'x', reason: 'first', expiresAt }, allow);
    await storage.chatBans.ban(chatId, bob, { userId: 'x', reason: 'second' }, allow);
    const { items } = await storage.chatBans.list(chatId, 10);
    expect(items).toEqual([
      expect.objectContaining({ reason: 'second', bannedBy: expect.objectContaining({ id: 'bob' }) }),
    ]);
    expect(items[0]).not.toHaveProperty('expiresAt');
  });

  test('of a group’s last owner passes ownership on', async () => {
    const chatId = await newGroup(['bob']);
    const { messages } = await storage.chatBans.ban(chatId, carol, { userId: 'alice', reason: '' }, allow);
    expect(messages.map(({ system }) => system?.kind)).toEqual(['member_removed', 'owner_changed']);
    expect(await rolesOf(storage, chatId)).toEqual({ bob: 'OWNER' });
  });

  test('keeps the user from joining and from being added until it is lifted', async () => {
    const room = await newRoom();
    await storage.chatBans.ban(room.id, alice, { userId: 'bob', reason: '' }, allow);

    await expect(storage.chats.joinRoom(room.name, bob)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      reason: 'BANNED_FROM_CHAT',
    });
    await expect(storage.members.add(room.id, alice, ['carol', 'bob'], allow)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'USER_IS_BANNED',
    });
    expect(await rolesOf(storage, room.id)).toEqual({ alice: 'OWNER' });

    await storage.chatBans.lift(room.id, alice, 'bob', allow);
    expect((await auditOf(storage, room.id)).at(-1)).toEqual(['alice', 'members.unban', { user: 'bob' }]);
    await storage.chats.joinRoom(room.name, bob);
    expect(await rolesOf(storage, room.id)).toEqual({ alice: 'OWNER', bob: 'MEMBER' });
    await expect(storage.chatBans.lift(room.id, alice, 'bob', allow)).rejects.toMatchObject({
      reason: 'BAN_NOT_FOUND',
    });
  });

  test('that has expired has no effect, is not listed and cannot be lifted', async () => {
    const room = await newRoom();
    await storage.chatBans.ban(room.id, alice, { userId: 'bob', reason: '' }, allow);
    await storage.chatBans.ban(room.id, alice, { userId: 'carol', reason: '' }, allow);
    await expire(room.id);

    expect(await banned(room.id)).toEqual([]);
    await storage.chats.joinRoom(room.name, bob);
    await storage.members.add(room.id, alice, ['carol'], allow);
    expect(Object.keys(await rolesOf(storage, room.id)).sort()).toEqual(['alice', 'bob', 'carol']);
    await expect(storage.chatBans.lift(room.id, alice, 'bob', allow)).rejects.toMatchObject({
      reason: 'BAN_NOT_FOUND',
    });
  });

  test('applies to its own chat only, and the list is paged by user id', async () => {
    const [room, other] = [await newRoom(), await newRoom()];
    for (const userId of ['d', 'a', 'c', 'b']) {
      await storage.chatBans.ban(room.id, alice, { userId, reason: '' }, allow);
    }
    const first = await storage.chatBans.list(room.id, 3);
    expect([first.items.map(({ user }) => user.id), first.next]).toEqual([['a', 'b', 'c'], 'c']);
    const second = await storage.chatBans.list(room.id, 3, first.next);
    expect([second.items.map(({ user }) => user.id), second.next]).toEqual([['d'], undefined]);
    await storage.chats.joinRoom(other.name, user('a'));
    expect(await banned(other.id)).toEqual([]);
  });

  test.each(['join', 'add'])(
    'never loses a race with a %s: the banned user is not a member afterwards',
    async (way) => {
      const enter = (room: { id: string; name: string }, userId: string) =>
        way === 'join'
          ? storage.chats.joinRoom(room.name, user(userId))
          : storage.members.add(room.id, alice, [userId], allow);
      const outcomes = new Set<string>();
      for (let round = 0; round < 12; round += 1) {
        const room = await newRoom();
        await storage.users.remember(bob);
        const release = await holdChat(storage.dsn, room);
        const ban = () => storage.chatBans.ban(room.id, alice, { userId: 'bob', reason: '' }, allow);
        const both = round % 2 ? [ban(), enter(room, 'bob')] : [enter(room, 'bob'), ban()];
        const settled = Promise.allSettled(both as Promise<unknown>[]);
        await lockWaits(storage.dsn, 2);
        await release();

        for (const result of await settled) {
          outcomes.add(result.status === 'fulfilled' ? 'done' : String(reasonOf(result.reason)));
        }
        expect(await rolesOf(storage, room.id)).toEqual({ alice: 'OWNER' });
        expect(await banned(room.id)).toEqual(['bob']);
      }
      expect([...outcomes].sort()).toEqual(['done', way === 'join' ? 'BANNED_FROM_CHAT' : 'USER_IS_BANNED'].sort());
    },
  );

  test('is followed by no message of the user', async () => {
    const room = await newRoom(['bob']);
    const sent = Promise.all(
      Array.from({ length: 40 }, () => storage.messages.appendBatch([newMessage(room.id, 'bob')], ['MEMBER'], 10_000)),
    );
    const { messages } = await storage.chatBans.ban(room.id, alice, { userId: 'bob', reason: '' }, allow);
    const banSeq = messages[0]!.seq;
    for (const [{ outcome, seq } = { outcome: '', seq: 0 }] of await sent) {
      expect(outcome === 'not_a_member' || (outcome === 'stored' && seq < banSeq)).toBe(true);
    }
    const [after] = await storage.messages.appendBatch([newMessage(room.id, 'bob')], ['MEMBER']);
    expect(after?.outcome).toBe('not_a_member');
  });
});
