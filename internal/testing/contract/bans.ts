import { describe, expect, test } from 'vitest';
import { ChatRole, CloseReason, RemovalReason } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../clients/person.ts';
import { commands } from '../clients/stream-probe.ts';
import { eventually } from '../eventually.ts';
import { type Issue, personWith } from './issue.ts';

const fromChat = { code: 'PERMISSION_DENIED', reason: 'BANNED_FROM_CHAT' };
const fromService = { code: 'PERMISSION_DENIED', reason: 'BANNED' };
const notAllowed = { code: 'PERMISSION_DENIED', reason: 'METHOD_NOT_ALLOWED' };
const notBanned = { code: 'NOT_FOUND', reason: 'BAN_NOT_FOUND' };

/** Registers the tests of bans, from a chat and from the service, and of the audit log that every transport must pass. */
export function bansContract(open: () => Transport, issue: Issue): void {
  const people = (...names: string[]) => Promise.all(names.map((name) => signIn(open(), name)));

  describe('bans from a chat', () => {
    test('a ban ends delivery, is recorded in the chat, and keeps the user out until it is lifted', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const room = await newRoom(alice, bob);
      const [one, all] = await Promise.all([bob.connect(), bob.connect()]);
      await one.ask(commands.subscribe(room.id));
      await all.ask(commands.subscribeAll());

      const { ban } = await alice.chat.banMember({ chatId: room.id, userId: bob.id, reason: 'spam' });

      expect(ban).toEqual({
        user: { id: bob.id, name: bob.name },
        bannedBy: { id: alice.id, name: alice.name },
        reason: 'spam',
        createdAt: expect.any(Date),
        expiresAt: undefined,
      });
      for (const stream of [one, all]) {
        expect(await stream.nextOf('chatRemoved')).toEqual({ chatId: room.id, reason: RemovalReason.BANNED });
      }
      const { messages } = await alice.chat.listMessages({ chatId: room.id });
      expect(messages.at(-1)).toMatchObject({
        sender: { id: alice.id },
        system: { event: { $case: 'memberRemoved', value: { user: { id: bob.id }, banned: true } } },
      });
      await expect(bob.chat.joinRoom({ name: room.name })).rejects.toMatchObject(fromChat);
      await expect(say(bob, room, 'hello?')).rejects.toMatchObject({ reason: 'NOT_A_MEMBER' });
      await expect(alice.chat.addMembers({ chatId: room.id, userIds: ['carol', bob.id] })).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        reason: 'USER_IS_BANNED',
      });
      expect((await alice.chat.getChat({ chatId: room.id })).chat?.memberCount).toBe(1);

      await say(alice, room, 'behind his back');
      for (const stream of [one, all]) {
        await stream.ask(commands.ping());
        expect(stream.messages(room.id)).toEqual([]);
      }

      await alice.chat.unbanMember({ chatId: room.id, userId: bob.id });
      expect((await bob.chat.joinRoom({ name: room.name })).chat?.ownRole).toBe(ChatRole.MEMBER);
      await expect(alice.chat.unbanMember({ chatId: room.id, userId: bob.id })).rejects.toMatchObject(notBanned);
    });

    test('an expired ban has no effect', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const room = await newRoom(alice, bob);
      const ban = (expiresAt: Date) => alice.chat.banMember({ chatId: room.id, userId: bob.id, expiresAt });
      await ban(new Date(Date.now() + 3_600_000));
      await expect(bob.chat.joinRoom({ name: room.name })).rejects.toMatchObject(fromChat);
      // So long that the ban begins before it ends, also on a busy machine.
      const expiresAt = new Date(Date.now() + 2_000);
      expect((await ban(expiresAt)).ban?.expiresAt).toEqual(expiresAt);

      await eventually(() => bob.chat.joinRoom({ name: room.name }));

      expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime() - 50);
      expect((await alice.chat.listBans({ chatId: room.id })).bans).toEqual([]);
    });

    test('a ban must end in the future and concern another user', async () => {
      const alice = await signIn(open(), 'alice');
      const room = await newRoom(alice);
      const root = await personWith(open(), issue, 'admin');
      const past = new Date(Date.now() - 1_000);
      const calls: [() => Promise<unknown>, string][] = [
        [() => alice.chat.banMember({ chatId: room.id, userId: 'bob', expiresAt: past }), 'expires_at'],
        [() => alice.chat.banMember({ chatId: room.id, userId: alice.id }), 'user_id'],
        [() => root.chat.banUser({ userId: 'bob', expiresAt: past }), 'expires_at'],
        [() => root.chat.banUser({ userId: root.id }), 'user_id'],
      ];
      for (const [call, field] of calls) {
        await expect(call()).rejects.toMatchObject({ reason: 'INVALID_FIELDS', violations: [{ field }] });
      }
      expect((await alice.chat.getChat({ chatId: room.id })).chat?.memberCount).toBe(1);
    });

    test('users who may ban list the bans by user id, page by page', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const room = await newRoom(alice, bob);
      for (const userId of ['u-b', 'u-c', 'u-a']) await alice.chat.banMember({ chatId: room.id, userId });
      await alice.chat.banMember({ chatId: room.id, userId: 'u-b', reason: 'again' });

      const first = await alice.chat.listBans({ chatId: room.id, pageSize: 2 });
      const second = await alice.chat.listBans({ chatId: room.id, pageSize: 2, pageToken: first.nextPageToken });

      expect([...first.bans, ...second.bans].map(({ user, reason }) => [user?.id, reason])).toEqual([
        ['u-a', ''],
        ['u-b', 'again'],
        ['u-c', ''],
      ]);
      expect([first.bans.length, second.nextPageToken]).toEqual([2, '']);
      await expect(bob.chat.listBans({ chatId: room.id })).rejects.toMatchObject({ reason: 'ROLE_TOO_LOW' });
    });
  });

  describe('bans from the service', () => {
    test('a banned user is refused at once, loses every stream, and keeps their chats until the ban is lifted', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const root = await personWith(open(), issue, 'admin');
      const group = await newGroup(alice, bob);
      const stream = await bob.connect();

      const { ban } = await root.chat.banUser({ userId: bob.id, reason: 'spam' });

      expect(ban).toMatchObject({ user: { id: bob.id, name: bob.name }, bannedBy: { id: root.id }, reason: 'spam' });
      await expect(bob.chat.listChats({})).rejects.toMatchObject(fromService);
      expect(await stream.nextOf('closing')).toMatchObject({ reason: CloseReason.BANNED });
      expect(await stream.ended).toMatchObject(fromService);
      expect((await alice.chat.getChat({ chatId: group.id })).chat?.memberCount).toBe(2);
      const { bans } = await root.chat.listBannedUsers({ pageSize: 200 });
      expect(bans.filter(({ user }) => user?.id === bob.id)).toEqual([ban]);

      await root.chat.unbanUser({ userId: bob.id });
      await expect(say(bob, group, 'back again')).resolves.toMatchObject({ seq: 2 });
      await expect(root.chat.unbanUser({ userId: bob.id })).rejects.toMatchObject(notBanned);
    });

    test('a ban from the service ends at its time', async () => {
      const bob = await signIn(open(), 'bob');
      const root = await personWith(open(), issue, 'admin');
      const expiresAt = new Date(Date.now() + 1_000);
      await root.chat.banUser({ userId: bob.id, expiresAt });
      const refusal = await bob.chat.listChats({}).catch((error: unknown) => error);
      // On a machine that is busy enough the ban is over before it is noticed.
      if (Date.now() < expiresAt.getTime()) expect(refusal).toMatchObject(fromService);
      await eventually(() => bob.chat.listChats({}));
    });

    test.each(['user', 'service'] as const)(
      'a token with the role %s can neither ban users from the service nor list bans',
      async (role) => {
        const caller = await personWith(open(), issue, role);
        const calls = [
          () => caller.chat.banUser({ userId: 'x' }),
          () => caller.chat.unbanUser({ userId: 'x' }),
          () => caller.chat.listBannedUsers({}),
          () => caller.chat.listAuditEvents({}),
        ];
        for (const call of calls) await expect(call()).rejects.toMatchObject(notAllowed);
      },
    );
  });

  describe('the audit log', () => {
    test('has every administrative act in a chat, the newest first, for administrators', async () => {
      const [alice, bob, carol] = (await people('alice', 'bob', 'carol')) as [Person, Person, Person];
      const root = await personWith(open(), issue, 'admin');
      const room = await newRoom(alice, bob);
      const chatId = room.id;
      await alice.chat.addMembers({ chatId, userIds: [carol.id] });
      await alice.chat.updateMember({ chatId, userId: carol.id, role: ChatRole.ADMIN });
      await alice.chat.removeMember({ chatId, userId: bob.id });
      await carol.chat.banMember({ chatId, userId: bob.id, reason: 'spam' });
      await carol.chat.unbanMember({ chatId, userId: bob.id });
      await carol.chat.leaveChat({ chatId });
      await root.chat.deleteChat({ chatId });

      const { events } = await root.chat.listAuditEvents({ chatId });

      expect(events.map(({ actorId, action }) => [actorId, action])).toEqual([
        [root.id, 'chat.delete'],
        [carol.id, 'members.leave'],
        [carol.id, 'members.unban'],
        [carol.id, 'members.ban'],
        [alice.id, 'members.remove'],
        [alice.id, 'members.role'],
        [alice.id, 'members.add'],
        [bob.id, 'members.join'],
        [alice.id, 'chat.create'],
      ]);
      expect(events.every((event) => event.chatId === chatId && event.at instanceof Date)).toBe(true);
      expect(events[3]?.detail).toEqual({ user: bob.id, reason: 'spam' });
      expect(events[5]?.detail).toEqual({ user: carol.id, from: 'MEMBER', role: 'ADMIN' });
      const ofAlice = await root.chat.listAuditEvents({ chatId, actorId: alice.id, pageSize: 3 });
      const rest = await root.chat.listAuditEvents({
        chatId,
        actorId: alice.id,
        pageSize: 3,
        pageToken: ofAlice.nextPageToken,
      });
      expect([...ofAlice.events, ...rest.events]).toEqual(events.filter(({ actorId }) => actorId === alice.id));
      expect([ofAlice.events.length, rest.nextPageToken]).toEqual([3, '']);
    });

    test('has the bans from the service, without a chat', async () => {
      const root = await personWith(open(), issue, 'admin');
      await root.chat.banUser({ userId: 'u-x', reason: 'spam' });
      await root.chat.unbanUser({ userId: 'u-x' });
      const { events } = await root.chat.listAuditEvents({ actorId: root.id });
      expect(events.map(({ action, chatId, detail }) => [action, chatId, detail])).toEqual([
        ['user.unban', '', { user: 'u-x' }],
        ['user.ban', '', { user: 'u-x', reason: 'spam' }],
      ]);
    });
  });
}
