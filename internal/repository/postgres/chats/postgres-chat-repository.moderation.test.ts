import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatRole } from '../../../model/member.ts';
import { holdChat, lockWaits } from '../../../testing/faults/row-lock.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Creator, Guard } from '../../chat-repository.ts';

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

async function roles(chatId: string): Promise<Record<string, ChatRole>> {
  const { items } = await storage.chats.listMembers(chatId, 100);
  return Object.fromEntries(items.map(({ user, role }) => [user.id, role]));
}

async function lastSeq(chatId: string): Promise<number | undefined> {
  return (await storage.messages.listHeads([chatId])).get(chatId);
}

async function audit(chatId: string): Promise<unknown[]> {
  const { rows } = await storage.database.pool.query(
    'select actor_id, action, detail from audit_log where chat_id = $1 order by id',
    [chatId],
  );
  return rows.map(({ actor_id, action, detail }) => [actor_id, action, detail]);
}

async function banned(chatId: string): Promise<string[]> {
  return (await storage.chats.listBans(chatId, 100)).items.map(({ user }) => user.id);
}

/** Lets the ban end by itself. */
async function expire(chatId: string): Promise<void> {
  await storage.database.pool.query(
    `update chat_bans set expires_at = clock_timestamp() - interval '1 ms' where chat_id = $1`,
    [chatId],
  );
}

const reasonOf = ({ reason }: { reason?: unknown }) => reason;

describe('a role', () => {
  test('is changed, told to the chat by name, and audited', async () => {
    await storage.chats.rememberUser(bob);
    const chatId = await newGroup(['bob']);

    const { member, message } = await storage.chats.updateMember(chatId, alice, 'bob', 'ADMIN', allow);

    expect(member).toMatchObject({ user: bob, role: 'ADMIN', joinedAt: expect.any(Date) });
    expect(message).toMatchObject({
      seq: 2,
      sender: alice,
      system: { kind: 'role_changed', user: bob, role: 'ADMIN' },
    });
    expect(await roles(chatId)).toEqual({ alice: 'OWNER', bob: 'ADMIN' });
    expect((await audit(chatId)).slice(1)).toEqual([
      ['alice', 'members.role', { user: 'bob', from: 'MEMBER', role: 'ADMIN' }],
    ]);
  });

  test('that the member has already is no change: nothing is told or audited', async () => {
    const chatId = await newGroup(['bob']);
    const given = await storage.chats.updateMember(chatId, alice, 'bob', 'MEMBER', allow);
    expect(given).toEqual({ member: expect.objectContaining({ role: 'MEMBER' }) });
    await storage.chats.updateMember(chatId, alice, 'alice', 'OWNER', allow);
    expect([await lastSeq(chatId), (await audit(chatId)).length]).toEqual([1, 1]);
  });

  test('of somebody who is no member cannot be changed', async () => {
    const chatId = await newGroup();
    await expect(storage.chats.updateMember(chatId, alice, 'bob', 'ADMIN', allow)).rejects.toMatchObject({
      reason: 'MEMBER_NOT_FOUND',
    });
    expect(await lastSeq(chatId)).toBe(1);
  });

  test('of a group’s last owner stays until there is another; a room may be without', async () => {
    const [group, room] = [await newGroup(['bob']), await newRoom(['bob'])];
    await expect(storage.chats.updateMember(group, alice, 'alice', 'ADMIN', allow)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'LAST_OWNER',
    });
    expect([await roles(group), await lastSeq(group)]).toEqual([{ alice: 'OWNER', bob: 'MEMBER' }, 1]);

    await storage.chats.updateMember(group, alice, 'bob', 'OWNER', allow);
    await storage.chats.updateMember(group, alice, 'alice', 'READER', allow);
    expect(await roles(group)).toEqual({ alice: 'READER', bob: 'OWNER' });
    await storage.chats.updateMember(room.id, alice, 'alice', 'MEMBER', allow);
    expect(await roles(room.id)).toEqual({ alice: 'MEMBER', bob: 'MEMBER' });
  });

  test('of two owners who demote each other at once, one is demoted and the other is not', async () => {
    const ownersOnly: Guard = ({ role }) => {
      if (role !== 'OWNER') throw new Error('not an owner any more');
    };
    for (let round = 0; round < 10; round += 1) {
      const chatId = await newGroup(['bob', 'carol']);
      await storage.chats.updateMember(chatId, alice, 'bob', 'OWNER', allow);
      const release = await holdChat(storage.dsn, { id: chatId });
      const demotions = [
        storage.chats.updateMember(chatId, alice, 'bob', 'MEMBER', ownersOnly),
        storage.chats.updateMember(chatId, bob, 'alice', 'MEMBER', round % 2 ? ownersOnly : allow),
      ];
      const settled = Promise.allSettled(demotions);
      await lockWaits(storage.dsn, 2);
      await release();

      const outcomes = (await settled).map(({ status }) => status).sort();
      expect(outcomes).toEqual(['fulfilled', 'rejected']);
      expect(Object.values(await roles(chatId)).sort()).toEqual(['MEMBER', 'MEMBER', 'OWNER']);
    }
  });
});

describe('a ban from a chat', () => {
  test('takes a member out, tells the chat so, and is audited', async () => {
    const chatId = await newGroup(['bob']);
    const expiresAt = new Date(Date.now() + 60_000);

    const { ban, messages } = await storage.chats.banMember(
      chatId,
      alice,
      { userId: 'bob', reason: 'spam', expiresAt },
      allow,
    );

    expect(ban).toEqual({ user: bob, bannedBy: alice, reason: 'spam', createdAt: expect.any(Date), expiresAt });
    expect(messages).toMatchObject([
      { seq: 2, sender: alice, system: { kind: 'member_removed', user: bob, banned: true } },
    ]);
    expect(await roles(chatId)).toEqual({ alice: 'OWNER' });
    expect((await storage.chats.get(chatId, 'alice')).memberCount).toBe(1);
    expect((await audit(chatId)).slice(1)).toEqual([
      ['alice', 'members.ban', { user: 'bob', reason: 'spam', expires_at: expiresAt.toISOString() }],
    ]);
  });

  test('of somebody who is no member tells the chat nothing', async () => {
    const chatId = await newGroup();
    const { ban, messages } = await storage.chats.banMember(chatId, alice, { userId: 'x', reason: '' }, allow);
    expect(ban).toEqual({ user: { id: 'x', name: '' }, bannedBy: alice, reason: '', createdAt: expect.any(Date) });
    expect([messages, await lastSeq(chatId), await banned(chatId)]).toEqual([[], 1, ['x']]);
  });

  test('replaces the one before', async () => {
    const chatId = await newGroup();
    const expiresAt = new Date(Date.now() + 60_000);
    await storage.chats.banMember(chatId, alice, { userId: 'x', reason: 'first', expiresAt }, allow);
    await storage.chats.banMember(chatId, bob, { userId: 'x', reason: 'second' }, allow);
    const { items } = await storage.chats.listBans(chatId, 10);
    expect(items).toEqual([
      expect.objectContaining({ reason: 'second', bannedBy: expect.objectContaining({ id: 'bob' }) }),
    ]);
    expect(items[0]).not.toHaveProperty('expiresAt');
  });

  test('of a group’s last owner passes ownership on', async () => {
    const chatId = await newGroup(['bob']);
    const { messages } = await storage.chats.banMember(chatId, carol, { userId: 'alice', reason: '' }, allow);
    expect(messages.map(({ system }) => system?.kind)).toEqual(['member_removed', 'owner_changed']);
    expect(await roles(chatId)).toEqual({ bob: 'OWNER' });
  });

  test('keeps the user from joining and being added, until it is lifted', async () => {
    const room = await newRoom();
    await storage.chats.banMember(room.id, alice, { userId: 'bob', reason: '' }, allow);

    await expect(storage.chats.joinRoom(room.name, bob)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      reason: 'BANNED_FROM_CHAT',
    });
    await expect(storage.chats.addMembers(room.id, alice, ['carol', 'bob'], allow)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'USER_IS_BANNED',
    });
    expect(await roles(room.id)).toEqual({ alice: 'OWNER' });

    await storage.chats.unbanMember(room.id, alice, 'bob', allow);
    expect((await audit(room.id)).at(-1)).toEqual(['alice', 'members.unban', { user: 'bob' }]);
    await storage.chats.joinRoom(room.name, bob);
    expect(await roles(room.id)).toEqual({ alice: 'OWNER', bob: 'MEMBER' });
    await expect(storage.chats.unbanMember(room.id, alice, 'bob', allow)).rejects.toMatchObject({
      reason: 'BAN_NOT_FOUND',
    });
  });

  test('that has expired keeps nobody out, is not listed, and cannot be lifted', async () => {
    const room = await newRoom();
    await storage.chats.banMember(room.id, alice, { userId: 'bob', reason: '' }, allow);
    await storage.chats.banMember(room.id, alice, { userId: 'carol', reason: '' }, allow);
    await expire(room.id);

    expect(await banned(room.id)).toEqual([]);
    await storage.chats.joinRoom(room.name, bob);
    await storage.chats.addMembers(room.id, alice, ['carol'], allow);
    expect(Object.keys(await roles(room.id)).sort()).toEqual(['alice', 'bob', 'carol']);
    await expect(storage.chats.unbanMember(room.id, alice, 'bob', allow)).rejects.toMatchObject({
      reason: 'BAN_NOT_FOUND',
    });
  });

  test('holds in its own chat only, and the list has pages by user id', async () => {
    const [room, other] = [await newRoom(), await newRoom()];
    for (const userId of ['d', 'a', 'c', 'b']) {
      await storage.chats.banMember(room.id, alice, { userId, reason: '' }, allow);
    }
    const first = await storage.chats.listBans(room.id, 3);
    expect([first.items.map(({ user }) => user.id), first.next]).toEqual([['a', 'b', 'c'], 'c']);
    const second = await storage.chats.listBans(room.id, 3, first.next);
    expect([second.items.map(({ user }) => user.id), second.next]).toEqual([['d'], undefined]);
    await storage.chats.joinRoom(other.name, user('a'));
    expect(await banned(other.id)).toEqual([]);
  });

  test.each(['join', 'add'])('never loses a race with a %s: nobody banned is a member afterwards', async (way) => {
    const enter = (room: { id: string; name: string }, userId: string) =>
      way === 'join'
        ? storage.chats.joinRoom(room.name, user(userId))
        : storage.chats.addMembers(room.id, alice, [userId], allow);
    const outcomes = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const room = await newRoom();
      await storage.chats.rememberUser(bob);
      const release = await holdChat(storage.dsn, room);
      const ban = () => storage.chats.banMember(room.id, alice, { userId: 'bob', reason: '' }, allow);
      const both = round % 2 ? [ban(), enter(room, 'bob')] : [enter(room, 'bob'), ban()];
      const settled = Promise.allSettled(both as Promise<unknown>[]);
      await lockWaits(storage.dsn, 2);
      await release();

      for (const result of await settled) {
        outcomes.add(result.status === 'fulfilled' ? 'done' : String(reasonOf(result.reason)));
      }
      expect(await roles(room.id)).toEqual({ alice: 'OWNER' });
      expect(await banned(room.id)).toEqual(['bob']);
    }
    expect([...outcomes].sort()).toEqual(['done', way === 'join' ? 'BANNED_FROM_CHAT' : 'USER_IS_BANNED'].sort());
  });

  test('lets no message of the user come after it', async () => {
    const room = await newRoom(['bob']);
    const sent = Promise.all(
      Array.from({ length: 40 }, () => storage.messages.appendBatch([newMessage(room.id, 'bob')], ['MEMBER'])),
    );
    const { messages } = await storage.chats.banMember(room.id, alice, { userId: 'bob', reason: '' }, allow);
    const banSeq = messages[0]!.seq;
    for (const [{ outcome, seq } = { outcome: '', seq: 0 }] of await sent) {
      expect(outcome === 'not_a_member' || (outcome === 'stored' && seq < banSeq)).toBe(true);
    }
    const [after] = await storage.messages.appendBatch([newMessage(room.id, 'bob')], ['MEMBER']);
    expect(after?.outcome).toBe('not_a_member');
  });
});

describe('somebody who creates a chat for others', () => {
  const backend: Creator = { id: 'service:shop', name: 'Shop', external: true };

  test('becomes no member; the first of those named owns it', async () => {
    const { chat, message } = await storage.chats.createGroup(backend, 'order 7', ['bob', 'alice', 'bob']);
    expect(await roles(chat.id)).toEqual({ bob: 'OWNER', alice: 'MEMBER' });
    expect(chat).toMatchObject({ createdBy: backend.id, memberCount: 2 });
    expect(chat.own).toBeUndefined();
    expect(message).toMatchObject({ seq: 1, sender: { id: backend.id, name: 'Shop' } });
    expect(await audit(chat.id)).toEqual([[backend.id, 'chat.create', expect.objectContaining({ type: 'GROUP' })]]);
  });

  test('can create a room of nobody', async () => {
    const { chat } = await storage.chats.createRoom(backend, randomUUID(), []);
    expect([chat.memberCount, await roles(chat.id)]).toEqual([0, {}]);
  });

  test('opens the one direct chat of two others and is told neither as the peer', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const opened = await storage.chats.openDirect(backend, other, one);
    expect([opened.created, await roles(opened.chat.id)]).toEqual([true, { [one]: 'OWNER', [other]: 'OWNER' }]);
    expect(opened.chat).not.toHaveProperty('peer');
    const again = await storage.chats.openDirect(user(other), one);
    expect([again.created, again.chat.id, again.chat.peer?.id]).toEqual([false, opened.chat.id, one]);
  });
});
