import { describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../clients/person.ts';
import { bansContract } from './bans.ts';
import { type Issue, personWith } from './issue.ts';
import { servicesContract } from './services.ts';

const { READER, MEMBER, ADMIN, OWNER } = ChatRole;
const tooLow = { code: 'PERMISSION_DENIED', reason: 'ROLE_TOO_LOW' };

/** Registers the tests of roles that every transport must pass: UpdateMember and the rights of a chat's administrators and owners. */
export function rolesContract(open: () => Transport, issue: Issue): void {
  const people = (...names: string[]) => Promise.all(names.map((name) => signIn(open(), name)));
  const give = (giver: Person, chat: { id: string }, { id }: Person, role: ChatRole) =>
    giver.chat.updateMember({ chatId: chat.id, userId: id, role });

  bansContract(open, issue);
  servicesContract(open, issue);

  describe('roles', () => {
    test('a new role is returned, recorded in the chat, and in force at once', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      await bob.connect(); // from here on the service knows bob's name
      const group = await newGroup(alice, bob);

      const { member } = await give(alice, group, bob, READER);

      expect(member).toMatchObject({
        user: { id: bob.id, name: bob.name },
        role: READER,
        joinedAt: expect.any(Date),
      });
      await expect(say(bob, group, 'may I?')).rejects.toMatchObject(tooLow);
      const { messages } = await bob.chat.listMessages({ chatId: group.id });
      expect(messages.at(-1)).toMatchObject({
        seq: 2,
        sender: { id: alice.id },
        system: { event: { $case: 'roleChanged', value: { user: { id: bob.id, name: bob.name }, role: READER } } },
      });
      expect((await bob.chat.getChat({ chatId: group.id })).chat).toMatchObject({ ownRole: READER, lastSeq: 2 });
      await give(alice, group, bob, MEMBER);
      await expect(say(bob, group, 'thanks')).resolves.toMatchObject({ seq: 4 });
    });

    test('giving a member the same role again succeeds and records nothing', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      expect((await give(alice, group, bob, MEMBER)).member?.role).toBe(MEMBER);
      expect((await alice.chat.getChat({ chatId: group.id })).chat?.lastSeq).toBe(1);
    });

    test('an administrator of a chat changes only members with lower roles, and gives only lower roles', async () => {
      const [owner, admin, other, member] = (await people('owner', 'admin', 'other', 'member')) as Person[] as [
        Person,
        Person,
        Person,
        Person,
      ];
      const group = await newGroup(owner, admin, other, member);
      await give(owner, group, admin, ADMIN);
      await give(owner, group, other, ADMIN);

      expect((await give(admin, group, member, READER)).member?.role).toBe(READER);
      const refused = [
        () => give(admin, group, member, ADMIN),
        () => give(admin, group, member, OWNER),
        () => give(admin, group, other, MEMBER),
        () => give(admin, group, owner, MEMBER),
        () => give(admin, group, admin, OWNER),
        () => give(admin, group, admin, MEMBER),
        () => give(member, group, member, MEMBER),
        () => admin.chat.removeMember({ chatId: group.id, userId: owner.id }),
        () => admin.chat.removeMember({ chatId: group.id, userId: other.id }),
        () => admin.chat.banMember({ chatId: group.id, userId: owner.id }),
        () => admin.chat.banMember({ chatId: group.id, userId: other.id }),
        () => member.chat.banMember({ chatId: group.id, userId: 'somebody' }),
      ];
      for (const call of refused) await expect(call()).rejects.toMatchObject(tooLow);
      const { members } = await owner.chat.listMembers({ chatId: group.id });
      expect(Object.fromEntries(members.map(({ user, role }) => [user?.id, role]))).toEqual({
        [owner.id]: OWNER,
        [admin.id]: ADMIN,
        [other.id]: ADMIN,
        [member.id]: READER,
      });
      await admin.chat.removeMember({ chatId: group.id, userId: member.id });
      await owner.chat.removeMember({ chatId: group.id, userId: other.id });
    });

    test('an owner makes others owners and steps down; the last owner of a group cannot', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const lastOwner = { code: 'FAILED_PRECONDITION', reason: 'LAST_OWNER' };

      await expect(give(alice, group, alice, MEMBER)).rejects.toMatchObject(lastOwner);
      await give(alice, group, bob, OWNER);
      await give(bob, group, alice, READER);
      await expect(give(bob, group, bob, ADMIN)).rejects.toMatchObject(lastOwner);
      const room = await newRoom(alice);
      expect((await give(alice, room, alice, MEMBER)).member?.role).toBe(MEMBER);
    });

    test('of two owners who demote each other at the same time, one is refused', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      for (let round = 0; round < 5; round += 1) {
        const group = await newGroup(alice, bob);
        await give(alice, group, bob, OWNER);
        const outcomes = await Promise.allSettled([give(alice, group, bob, MEMBER), give(bob, group, alice, MEMBER)]);
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: tooLow });
        const { members } = await alice.chat.listMembers({ chatId: group.id });
        expect(members.map(({ role }) => role).sort()).toEqual([MEMBER, OWNER]);
      }
    });

    test('roles in a direct chat, and of users who are not members, cannot change', async () => {
      const [alice, bob, root] = [...(await people('alice', 'bob')), await personWith(open(), issue, 'admin')] as [
        Person,
        Person,
        Person,
      ];
      const { chat } = await alice.chat.createChat({ type: ChatType.DIRECT, memberIds: [bob.id] });
      for (const caller of [alice, root]) {
        const isDirect = { code: 'FAILED_PRECONDITION', reason: 'CHAT_IS_DIRECT' };
        await expect(give(caller, chat!, bob, READER)).rejects.toMatchObject(isDirect);
        await expect(caller.chat.banMember({ chatId: chat!.id, userId: bob.id })).rejects.toMatchObject(isDirect);
      }
      const group = await newGroup(alice);
      await expect(give(alice, group, bob, READER)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        reason: 'MEMBER_NOT_FOUND',
      });
      await expect(give(bob, group, alice, READER)).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
      await expect(give(bob, await newRoom(alice), alice, READER)).rejects.toMatchObject({ reason: 'NOT_A_MEMBER' });
    });

    test.each(['admin', 'service'] as const)(
      'a token with the role %s does all of this without being a member',
      async (role) => {
        const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
        const outsider = await personWith(open(), issue, role);
        const group = await newGroup(alice, bob);
        const room = await newRoom(alice);

        await give(outsider, group, bob, OWNER);
        await give(outsider, group, alice, READER);
        await expect(give(outsider, group, bob, MEMBER)).rejects.toMatchObject({ reason: 'LAST_OWNER' });
        await outsider.chat.banMember({ chatId: group.id, userId: bob.id });
        await outsider.chat.removeMember({ chatId: room.id, userId: alice.id });

        const { messages } = await alice.chat.listMessages({ chatId: group.id, afterSeq: 1 });
        expect(messages.map(({ sender, system }) => [sender?.id, system?.event?.$case])).toEqual(
          ['roleChanged', 'roleChanged', 'memberRemoved', 'ownerChanged'].map(($case) => [outsider.id, $case]),
        );
        expect((await alice.chat.getChat({ chatId: group.id })).chat?.ownRole).toBe(OWNER);
      },
    );
  });
}
