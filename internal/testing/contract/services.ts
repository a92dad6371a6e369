import { describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, type Person, say, signIn, uniqueName } from '../clients/person.ts';
import { commands } from '../clients/stream-probe.ts';
import { type Issue, personWith } from './issue.ts';

/** Registers the tests of backends, with tokens of the role `service`, that every transport must pass. */
export function servicesContract(open: () => Transport, issue: Issue): void {
  const people = (...names: string[]) => Promise.all(names.map((name) => signIn(open(), name)));
  const shop = () => personWith(open(), issue, 'service');
  const members = async (caller: Person, chatId: string) => {
    const listed = await caller.chat.listMembers({ chatId });
    return Object.fromEntries(listed.members.map(({ user, role }) => [user?.id, role]));
  };

  describe('a backend', () => {
    test('sends to any chat under its token’s name, and a repetition is stored once', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const service = await shop();
      const { chat: direct } = await alice.chat.createChat({ type: ChatType.DIRECT, memberIds: [bob.id] });
      const group = await newGroup(alice);
      const stream = await alice.connect();
      await stream.ask(commands.subscribeAll());

      for (const { id: chatId } of [direct!, group]) {
        const order = { chatId, clientMessageId: 'order-7', text: 'Your order is on its way' };
        const sent = await service.chat.sendMessage(order);
        expect(await service.chat.sendMessage(order)).toEqual(sent);
        await expect(service.chat.sendMessage({ ...order, text: 'It is not' })).rejects.toMatchObject({
          code: 'ALREADY_EXISTS',
          reason: 'MESSAGE_ID_REUSED',
        });
        await stream.until(() => stream.messages(chatId).length > 0);
        expect(stream.messages(chatId)).toMatchObject([
          { id: sent.messageId, seq: 2, sender: { id: service.id, name: service.name }, text: order.text },
        ]);
      }
      const probe = await service.connect();
      expect(await probe.ask(commands.send(group.id, 'and by stream'))).toMatchObject({ value: { seq: 3 } });
      expect(Object.keys(await members(alice, group.id))).toEqual([alice.id]);
    });

    test('reads no chat that it is not a member of, and sends to none that does not exist', async () => {
      const alice = await signIn(open(), 'alice');
      const service = await shop();
      const group = await newGroup(alice);
      const { messageId } = await say(alice, group, 'between us');
      const notFound = { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' };
      await expect(service.chat.listMessages({ chatId: group.id })).rejects.toMatchObject(notFound);
      await expect(service.chat.getMessage({ chatId: group.id, messageId })).rejects.toMatchObject(notFound);
      const stream = await service.connect();
      expect(await stream.ask(commands.subscribe(group.id, 0))).toMatchObject({ $case: 'rejected' });
      await expect(say(service, { id: crypto.randomUUID() }, 'hello?')).rejects.toMatchObject(notFound);
    });

    test('creates the direct chat of two other users', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const service = await shop();
      const create = () => service.chat.createChat({ type: ChatType.DIRECT, memberIds: [alice.id, bob.id] });

      const { chat, created } = await create();

      expect([created, chat]).toMatchObject([
        true,
        { ownRole: ChatRole.UNSPECIFIED, joinedSeq: 0, memberCount: 2, createdBy: service.id, peer: undefined },
      ]);
      expect(await create()).toMatchObject({ created: false, chat: { id: chat!.id } });
      const own = await bob.chat.createChat({ type: ChatType.DIRECT, memberIds: [alice.id] });
      expect(own).toMatchObject({
        created: false,
        chat: { id: chat!.id, ownRole: ChatRole.OWNER, peer: { id: alice.id } },
      });
      expect(await members(alice, chat!.id)).toEqual({ [alice.id]: ChatRole.OWNER, [bob.id]: ChatRole.OWNER });
    });

    test('creates groups and rooms, owned by the first member', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const service = await shop();
      const stream = await alice.connect();
      await stream.ask(commands.subscribeAll());
      const memberIds = [bob.id, alice.id];
      for (const type of [ChatType.GROUP, ChatType.ROOM]) {
        const { chat, created } = await service.chat.createChat({ type, name: uniqueName('made'), memberIds });
        expect([created, chat?.ownRole, chat?.memberCount]).toEqual([true, ChatRole.UNSPECIFIED, 2]);
        expect(await members(alice, chat!.id)).toEqual({ [bob.id]: ChatRole.OWNER, [alice.id]: ChatRole.MEMBER });
        await stream.next(({ $case, value }) => $case === 'chatAdded' && value.chat?.id === chat!.id);
      }
      const { chat } = await service.chat.createChat({ type: ChatType.ROOM, name: uniqueName('empty') });
      expect(chat?.memberCount).toBe(0);
      expect((await alice.chat.joinRoom({ name: chat!.name })).chat?.ownRole).toBe(ChatRole.MEMBER);
    });

    test('is refused with the fields that a chat for others lacks', async () => {
      const service = await shop();
      const requests = [
        { type: ChatType.DIRECT, memberIds: ['a'] },
        { type: ChatType.DIRECT, memberIds: ['a', 'b', 'c'] },
        { type: ChatType.GROUP, name: 'nobody’s', memberIds: [] },
      ];
      for (const request of requests) {
        await expect(service.chat.createChat(request)).rejects.toMatchObject({
          reason: 'INVALID_FIELDS',
          violations: [{ field: 'member_ids' }],
        });
      }
    });

    test('that joins a room becomes a member like any user', async () => {
      const service = await shop();
      const { chat, created } = await service.chat.joinRoom({ name: uniqueName('joined') });
      expect([created, chat?.ownRole]).toEqual([true, ChatRole.OWNER]);
      await say(service, chat!, 'hello');
      expect((await service.chat.listMessages({ chatId: chat!.id })).messages).toHaveLength(2);
    });
  });
}
