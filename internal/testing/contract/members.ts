import { describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, say, signIn } from '../clients/person.ts';

/** Registers the tests of AddMembers, ListMembers, RemoveMember and LeaveChat that every transport must pass. */
export function membersContract(open: () => Transport): void {
  describe('members', () => {
    test('added users become members, are recorded, and stay as they are when added again', async () => {
      const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => signIn(open(), name)));
      await bob!.connect(); // from here on the service knows bob's name
      const group = await newGroup(alice!);

      const { added } = await alice!.chat.addMembers({ chatId: group.id, userIds: [bob!.id, carol!.id, alice!.id] });
      const again = await alice!.chat.addMembers({ chatId: group.id, userIds: [bob!.id] });

      expect(added).toHaveLength(2);
      expect(added.find(({ user }) => user!.id === bob!.id)).toMatchObject({
        user: { id: bob!.id, name: bob!.name },
        role: ChatRole.MEMBER,
        joinedAt: expect.any(Date),
      });
      expect(added.find(({ user }) => user!.id === carol!.id)?.user?.name).toBe('');
      expect(again.added).toEqual([]);
      const { messages } = await bob!.chat.listMessages({ chatId: group.id });
      expect(messages.map(({ system }) => system?.event?.$case)).toEqual(['chatCreated', 'membersAdded']);
      expect(messages[1]).toMatchObject({
        seq: 2,
        sender: { id: alice!.id },
        text: '',
        clientMessageId: '',
        system: { event: { value: { users: expect.arrayContaining([{ id: bob!.id, name: bob!.name }]) } } },
      });
      expect((await bob!.chat.getChat({ chatId: group.id })).chat).toMatchObject({ memberCount: 3, joinedSeq: 2 });
    });

    test('members, and nobody else, list the members by user id, page by page', async () => {
      const [alice, eve] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'eve')]);
      const group = await newGroup(alice);
      const userIds = ['u-c', 'u-a', 'u-d', 'u-b'];
      await alice.chat.addMembers({ chatId: group.id, userIds });

      const seen: string[] = [];
      let pageToken = '';
      do {
        const page = await alice.chat.listMembers({ chatId: group.id, pageSize: 2, pageToken });
        expect(page.members.length).toBeLessThanOrEqual(2);
        seen.push(...page.members.map(({ user }) => user!.id));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');

      expect(seen).toEqual([...userIds, alice.id].sort());
      await expect(eve.chat.listMembers({ chatId: group.id })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
    });

    test('members whose role is too low may neither add nor remove members', async () => {
      const [alice, bob, eve] = await Promise.all(['alice', 'bob', 'eve'].map((name) => signIn(open(), name)));
      const group = await newGroup(alice!, bob!);
      const room = await newRoom(alice!);
      const denied = { code: 'PERMISSION_DENIED', reason: 'ROLE_TOO_LOW' };

      await expect(bob!.chat.addMembers({ chatId: group.id, userIds: ['x'] })).rejects.toMatchObject(denied);
      await expect(bob!.chat.removeMember({ chatId: group.id, userId: alice!.id })).rejects.toMatchObject(denied);
      await expect(eve!.chat.addMembers({ chatId: group.id, userIds: [eve!.id] })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        reason: 'CHAT_NOT_FOUND',
      });
      await expect(eve!.chat.addMembers({ chatId: room.id, userIds: [eve!.id] })).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'NOT_A_MEMBER',
      });
    });

    test('a removal is recorded; the removed user has no access any more, and can be added again', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);

      await alice.chat.removeMember({ chatId: group.id, userId: bob.id });

      await expect(say(bob, group, 'let me in')).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' });
      await expect(alice.chat.removeMember({ chatId: group.id, userId: bob.id })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        reason: 'MEMBER_NOT_FOUND',
      });
      const { messages } = await alice.chat.listMessages({ chatId: group.id });
      expect(messages.at(-1)?.system?.event).toMatchObject({ $case: 'memberRemoved', value: { user: { id: bob.id } } });
      await alice.chat.addMembers({ chatId: group.id, userIds: [bob.id] });
      await expect(say(bob, group, 'thanks')).resolves.toMatchObject({ seq: 4 });
    });

    test('the members of a direct chat do not change', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const { chat } = await alice.chat.createChat({ type: ChatType.DIRECT, memberIds: [bob.id] });
      const chatId = chat!.id;
      const refused = { code: 'FAILED_PRECONDITION', reason: 'CHAT_IS_DIRECT' };

      await expect(alice.chat.addMembers({ chatId, userIds: ['carol'] })).rejects.toMatchObject(refused);
      await expect(alice.chat.removeMember({ chatId, userId: bob.id })).rejects.toMatchObject(refused);
      await expect(bob.chat.leaveChat({ chatId })).rejects.toMatchObject(refused);
    });

    test("when a group's last owner leaves, the longest-standing member becomes its owner", async () => {
      const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => signIn(open(), name)));
      const group = await newGroup(alice!);
      await alice!.chat.addMembers({ chatId: group.id, userIds: [carol!.id] });
      await alice!.chat.addMembers({ chatId: group.id, userIds: [bob!.id] });

      await alice!.chat.leaveChat({ chatId: group.id });

      expect((await carol!.chat.getChat({ chatId: group.id })).chat).toMatchObject({
        ownRole: ChatRole.OWNER,
        memberCount: 2,
      });
      const { messages } = await bob!.chat.listMessages({ chatId: group.id, afterSeq: 3 });
      expect(messages.map(({ seq, sender, system }) => [seq, sender!.id, system?.event?.$case])).toEqual([
        [4, alice!.id, 'memberLeft'],
        [5, alice!.id, 'ownerChanged'],
      ]);
      expect(messages[1]?.system?.event?.value).toMatchObject({ user: { id: carol!.id } });
      await expect(alice!.chat.leaveChat({ chatId: group.id })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
    });
  });
}
