import { describe, expect, test } from 'vitest';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../clients/person.ts';
import { commands, type StreamProbe } from '../clients/stream-probe.ts';
import { eventually } from '../eventually.ts';

/** Registers the tests of typing, presence and read marks that every transport must pass. The service needs MAX_SIGNAL_MEMBERS=3. */
export function ephemeralEventsContract(open: () => Transport): void {
  describe('an ephemeral event', () => {
    const people = (...names: string[]) => Promise.all(names.map((name) => signIn(open(), name)));

    async function reading(person: Person, chatId: string): Promise<StreamProbe> {
      const stream = await person.connect();
      await stream.ask(commands.subscribe(chatId));
      await stream.nextOf('caughtUp');
      return stream;
    }

    async function markOf(person: Person, chatId: string) {
      const { readSeq, unreadCount } = (await person.chat.getChat({ chatId })).chat!;
      return { readSeq, unreadCount };
    }

    test('of typing goes only to the chat’s other readers', async () => {
      const [alice, bob, eve] = (await people('alice', 'bob', 'eve')) as [Person, Person, Person];
      const [group, other] = [await newGroup(alice, bob), await newGroup(alice, eve)];
      const [a, b, e] = [await reading(alice, group.id), await reading(bob, group.id), await reading(eve, other.id)];

      expect(await a.ask(commands.typing(group.id))).toMatchObject({ $case: 'accepted' });

      expect(await b.nextOf('typing')).toEqual({ chatId: group.id, user: { id: alice.id, name: alice.name } });
      const refused = await e.ask(commands.typing(group.id));
      expect(refused.$case === 'rejected' && errorFromStatus(refused.value.status!)).toMatchObject({
        reason: 'CHAT_NOT_FOUND',
      });
      for (const stream of [a, e]) {
        await stream.ask(commands.ping());
        expect(stream.all('typing')).toEqual([]);
      }
    });

    test('of presence goes to the members of the chats of a user who comes online or leaves', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const stream = await reading(alice, group.id);

      const [one, two] = [await bob.connect(), await bob.connect()];
      const user = { id: bob.id, name: bob.name };
      expect(await stream.nextOf('presence')).toEqual({ chatId: group.id, user, online: true });
      one.close();
      two.close();

      await stream.until(() => stream.all('presence').length === 2);
      expect(stream.all('presence')[1]).toEqual({ chatId: group.id, user, online: false });
      expect((await alice.chat.listOnlineUsers({ chatId: group.id })).users).toEqual([
        { id: alice.id, name: alice.name },
      ]);
    });

    test('of a read mark goes to all readers of the chat; the mark never moves back, and unread messages are counted', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      for (const text of ['one', 'two', 'three']) await say(alice, group, text);
      await say(bob, group, 'mine');
      const [a, b] = [await reading(alice, group.id), await reading(bob, group.id)];
      expect(await markOf(bob, group.id)).toEqual({ readSeq: 0, unreadCount: 3 });

      expect(await bob.chat.markRead({ chatId: group.id, seq: 3 })).toEqual({
        readSeq: 3,
        unreadCount: 1,
        readGeneration: 0,
        mentionCount: 0,
      });
      expect(await bob.chat.markRead({ chatId: group.id, seq: 2 })).toEqual({
        readSeq: 3,
        unreadCount: 1,
        readGeneration: 0,
        mentionCount: 0,
      });
      expect(await b.ask(commands.markRead(group.id, 5))).toMatchObject({ $case: 'accepted' });

      for (const stream of [a, b]) await stream.until(() => stream.all('read').length === 2);
      expect(a.all('read')).toEqual([3, 5].map((seq) => ({ chatId: group.id, userId: bob.id, seq, generation: 0 })));
      expect(await markOf(bob, group.id)).toEqual({ readSeq: 5, unreadCount: 0 });
      const { members } = await alice.chat.listMembers({ chatId: group.id });
      expect(members.find(({ user }) => user?.id === bob.id)?.readSeq).toBe(5);
      await say(alice, group, 'more');
      const { chats } = await bob.chat.listChats({});
      expect(chats.find(({ id }) => id === group.id)).toMatchObject({ readSeq: 5, unreadCount: 1 });
    });

    test('a read mark beyond the chat is refused', async () => {
      const [alice] = (await people('alice')) as [Person];
      const group = await newGroup(alice);
      await expect(alice.chat.markRead({ chatId: group.id, seq: 2 })).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
        reason: 'CURSOR_IN_FUTURE',
        violations: [{ field: 'seq' }],
      });
      await expect(alice.chat.markRead({ chatId: group.id, seq: -1 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        violations: [{ field: 'seq' }],
      });
    });

    test('a new member has read nothing, and earlier messages do not count as unread', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const room = await newRoom(alice);
      await say(alice, room, 'before');
      await bob.chat.joinRoom({ name: room.name });
      await say(alice, room, 'after');
      expect(await markOf(bob, room.id)).toEqual({ readSeq: 0, unreadCount: 1 });
    });

    test('in a chat with many members is sent only for a user’s own read mark, to their other devices', async () => {
      const [alice, bob, carol, dave] = (await people('alice', 'bob', 'carol', 'dave')) as [
        Person,
        Person,
        Person,
        Person,
      ];
      const room = await newRoom(alice, bob, carol, dave);
      const [a, b, phone] = [await reading(alice, room.id), await reading(bob, room.id), await reading(bob, room.id)];
      await b.ask(commands.typing(room.id));
      await b.ask(commands.markRead(room.id, 2));
      expect(await phone.nextOf('read')).toEqual({ chatId: room.id, userId: bob.id, seq: 2, generation: 0 });
      const stream = await carol.connect();
      await eventually(async () =>
        expect((await alice.chat.listOnlineUsers({ chatId: room.id })).users).toHaveLength(3),
      );
      await a.ask(commands.ping());
      expect([...a.all('typing'), ...a.all('read'), ...a.all('presence')]).toEqual([]);
      stream.close();
    });
  });
}
