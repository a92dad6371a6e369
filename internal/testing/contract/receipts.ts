import { describe, expect, test } from 'vitest';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../clients/person.ts';
import { commands, type StreamProbe } from '../clients/stream-probe.ts';

const people = (open: () => Transport, ...names: string[]) => Promise.all(names.map((name) => signIn(open(), name)));

async function markOf(person: Person, chatId: string) {
  const { readSeq, readGeneration, unreadCount, mentionCount } = (await person.chat.getChat({ chatId })).chat!;
  return { readSeq, readGeneration, unreadCount, mentionCount };
}

/** Registers the tests of marks, receipts and muting that every transport must pass. The service needs MAX_SIGNAL_MEMBERS=3. */
export function receiptsContract(open: () => Transport): void {
  describe('marking as unread', () => {
    test('moves the mark back, for every answer alike, and never forward', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      for (const text of ['one', 'two', 'three']) await say(alice, group, text);
      await bob.chat.markRead({ chatId: group.id, seq: 4 });

      const back = { readSeq: 2, readGeneration: 1, unreadCount: 2, mentionCount: 0 };
      expect(await bob.chat.markUnread({ chatId: group.id, fromSeq: 3 })).toEqual(back);
      expect(await markOf(bob, group.id)).toEqual(back);
      expect((await bob.chat.listChats({})).chats.find(({ id }) => id === group.id)).toMatchObject(back);
      const { members } = await alice.chat.listMembers({ chatId: group.id });
      expect(members.find(({ user }) => user?.id === bob.id)).toMatchObject({
        readSeq: 2,
        readGeneration: 1,
        deliveredSeq: 4,
      });

      expect(await bob.chat.markUnread({ chatId: group.id, fromSeq: 4 })).toEqual(back);
      expect(await bob.chat.markRead({ chatId: group.id, seq: 3 })).toEqual({ ...back, readSeq: 3, unreadCount: 1 });
    });

    test('is not undone by a device that has not heard of it', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      await say(alice, group, 'one');
      await bob.chat.markRead({ chatId: group.id, seq: 2, ifGeneration: 0 });
      const back = await bob.chat.markUnread({ chatId: group.id, fromSeq: 2 });
      expect(await bob.chat.markRead({ chatId: group.id, seq: 2, ifGeneration: 0 })).toEqual(back);
      expect(await bob.chat.markRead({ chatId: group.id, seq: 2, ifGeneration: 1 })).toMatchObject({ readSeq: 2 });
    });

    test('counts nothing from before the membership', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const room = await newRoom(alice);
      await say(alice, room, 'before');
      await bob.chat.joinRoom({ name: room.name });
      await say(alice, room, 'after');
      await bob.chat.markRead({ chatId: room.id, seq: 4 });
      expect(await bob.chat.markUnread({ chatId: room.id, fromSeq: 1 })).toMatchObject({ readSeq: 0, unreadCount: 1 });
    });

    test('from a number beyond the chat or below 1 is refused', async () => {
      const [alice] = (await people(open, 'alice')) as [Person];
      const group = await newGroup(alice);
      await expect(alice.chat.markUnread({ chatId: group.id, fromSeq: 2 })).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
        reason: 'CURSOR_IN_FUTURE',
        violations: [{ field: 'from_seq' }],
      });
      await expect(alice.chat.markUnread({ chatId: group.id, fromSeq: 0 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        violations: [{ field: 'from_seq' }],
      });
    });
  });

  describe('receipts', () => {
    test('tell who has received and who has read a message', async () => {
      const [alice, bob, carol] = (await people(open, 'alice', 'bob', 'carol')) as [Person, Person, Person];
      const group = await newGroup(alice, bob, carol);
      const { messageId, seq } = await say(alice, group, 'hello');
      const receipts = async () => {
        const answer = await alice.chat.listReceipts({ chatId: group.id, messageId });
        return Object.fromEntries(answer.receipts.map(({ user, read }) => [user?.id, read]));
      };
      expect(await receipts()).toEqual({});
      expect(await bob.chat.markDelivered({ chatId: group.id, seq })).toEqual({ deliveredSeq: seq });
      expect(await bob.chat.markDelivered({ chatId: group.id, seq: 1 })).toEqual({ deliveredSeq: seq });
      expect(await receipts()).toEqual({ [bob.id]: false });
      await carol.chat.markRead({ chatId: group.id, seq });
      expect(await receipts()).toEqual({ [bob.id]: false, [carol.id]: true });
      await carol.chat.markUnread({ chatId: group.id, fromSeq: seq });
      expect(await receipts()).toEqual({ [bob.id]: false, [carol.id]: false });
    });

    test('come in pages, without users who came later', async () => {
      const [alice, bob, carol] = (await people(open, 'alice', 'bob', 'carol')) as [Person, Person, Person];
      const room = await newRoom(alice, bob);
      const { messageId } = await say(alice, room, 'hello');
      await carol.chat.joinRoom({ name: room.name });
      const { seq, messageId: later } = await say(bob, room, 'welcome');
      for (const { chat } of [alice, bob, carol]) await chat.markRead({ chatId: room.id, seq });
      const of = (id: string, pageToken = '') =>
        alice.chat.listReceipts({ chatId: room.id, messageId: id, pageSize: 1, pageToken });
      expect(await of(messageId)).toMatchObject({ receipts: [{ user: { id: bob.id } }], nextPageToken: '' });
      const first = await of(later);
      const second = await of(later, first.nextPageToken);
      const readers = [...first.receipts, ...second.receipts].map(({ user }) => user?.id);
      expect(readers).toEqual([alice.id, carol.id].sort());
      expect(second.nextPageToken).toBe('');
    });

    test('exist neither in large chats nor for messages that are not there', async () => {
      const [alice, bob, carol, dave] = (await people(open, 'alice', 'bob', 'carol', 'dave')) as Person[];
      const room = await newRoom(alice!, bob!, carol!, dave!);
      const { messageId, seq } = await say(alice!, room, 'hello');
      await expect(alice!.chat.listReceipts({ chatId: room.id, messageId })).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        reason: 'CHAT_TOO_LARGE',
      });
      expect(await bob!.chat.markDelivered({ chatId: room.id, seq })).toEqual({ deliveredSeq: 0 });
      const group = await newGroup(alice!);
      await expect(alice!.chat.listReceipts({ chatId: group.id, messageId })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        reason: 'MESSAGE_NOT_FOUND',
      });
      await expect(bob!.chat.listReceipts({ chatId: group.id, messageId })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        reason: 'CHAT_NOT_FOUND',
      });
    });

    test('beyond the chat are refused', async () => {
      const [alice] = (await people(open, 'alice')) as [Person];
      const group = await newGroup(alice);
      await expect(alice.chat.markDelivered({ chatId: group.id, seq: 2 })).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
        violations: [{ field: 'seq' }],
      });
    });
  });

  describe('a muted chat', () => {
    test('says so until the muting is lifted, and is counted as before', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const until = new Date(Date.now() + 86_400_000);
      expect(await bob.chat.muteChat({ chatId: group.id, until })).toEqual({ mutedUntil: until });
      await say(alice, group, 'psst');
      expect((await bob.chat.getChat({ chatId: group.id })).chat).toMatchObject({ mutedUntil: until, unreadCount: 1 });
      expect((await alice.chat.getChat({ chatId: group.id })).chat?.mutedUntil).toBeUndefined();
      expect(await bob.chat.muteChat({ chatId: group.id })).toEqual({ mutedUntil: undefined });
      expect((await bob.chat.getChat({ chatId: group.id })).chat?.mutedUntil).toBeUndefined();
    });

    test('cannot have been muted until a time in the past', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice);
      await expect(alice.chat.muteChat({ chatId: group.id, until: new Date(0) })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        violations: [{ field: 'until' }],
      });
      await expect(bob.chat.muteChat({ chatId: group.id })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
    });
  });
}

/** Registers the tests of marks in streams that every transport with streams must pass. The service needs MAX_SIGNAL_MEMBERS=3. */
export function liveReceiptsContract(open: () => Transport): void {
  describe('in a stream', () => {
    async function reading(person: Person, chatId: string): Promise<StreamProbe> {
      const stream = await person.connect();
      await stream.ask(commands.subscribe(chatId));
      await stream.nextOf('caughtUp');
      return stream;
    }

    test('a read mark that moves back comes with a greater generation', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      for (const text of ['one', 'two']) await say(alice, group, text);
      const [a, phone, b] = [
        await reading(alice, group.id),
        await reading(bob, group.id),
        await reading(bob, group.id),
      ];
      for (const command of [commands.markRead(group.id, 3), commands.markUnread(group.id, 2)])
        expect(await b.ask(command)).toMatchObject({ $case: 'accepted' });
      for (const stream of [a, phone]) {
        await stream.until(() => stream.all('read').length === 2);
        expect(stream.all('read').toSorted((one, other) => one.generation - other.generation)).toEqual([
          { chatId: group.id, userId: bob.id, seq: 3, generation: 0 },
          { chatId: group.id, userId: bob.id, seq: 1, generation: 1 },
        ]);
      }
    });

    test('muting a chat is news for the user’s own devices only', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const [a, phone] = [await reading(alice, group.id), await reading(bob, group.id)];
      await bob.chat.markRead({ chatId: group.id, seq: 1 });
      for (const stream of [a, phone]) await stream.until(() => stream.all('read').length === 1);
      await bob.chat.muteChat({ chatId: group.id, until: new Date(Date.now() + 60_000) });
      await phone.until(() => phone.all('read').length === 2);
      expect(phone.all('read')[1]).toEqual({ chatId: group.id, userId: bob.id, seq: 1, generation: 0 });
      await a.ask(commands.ping());
      expect(a.all('read')).toHaveLength(1);
    });

    test('a delivered mark goes to all readers of a small chat', async () => {
      const [alice, bob] = (await people(open, 'alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const { seq } = await say(alice, group, 'one');
      const [a, b] = [await reading(alice, group.id), await reading(bob, group.id)];
      expect(await b.ask(commands.markDelivered(group.id, seq))).toMatchObject({ $case: 'accepted' });
      for (const stream of [a, b])
        expect(await stream.nextOf('delivered')).toEqual({ chatId: group.id, userId: bob.id, seq });
    });
  });
}
