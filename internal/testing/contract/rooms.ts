import { describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, signIn, uniqueName } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { eventually } from '../eventually.ts';

/** Registers the tests of ListRooms, JoinRoom and ListOnlineUsers that every transport must pass. */
export function roomsContract(open: () => Transport): void {
  describe('rooms', () => {
    test('joining a room that does not exist creates it, and joining again changes nothing', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const name = uniqueName('Café_ü.1');

      const first = await alice.chat.joinRoom({ name });
      const second = await bob.chat.joinRoom({ name });
      const again = await bob.chat.joinRoom({ name });

      expect(first).toMatchObject({ created: true, chat: { name, type: ChatType.ROOM, ownRole: ChatRole.OWNER } });
      expect(second).toMatchObject({ created: false, chat: { id: first.chat!.id, ownRole: ChatRole.MEMBER } });
      expect(again.chat).toEqual(second.chat);
      const { messages } = await alice.chat.listMessages({ chatId: first.chat!.id });
      expect(messages.map(({ sender, system }) => [sender!.id, system?.event?.$case])).toEqual([
        [alice.id, 'chatCreated'],
        [bob.id, 'memberJoined'],
      ]);
    });

    test('users who join a new room at the same time are in the same room', async () => {
      const people = await Promise.all(Array.from({ length: 8 }, () => signIn(open(), 'racer')));
      const name = uniqueName('rush');

      const joined = await Promise.all(people.map(({ chat }) => chat.joinRoom({ name })));

      expect(new Set(joined.map(({ chat }) => chat!.id)).size).toBe(1);
      expect(joined.filter(({ created }) => created)).toHaveLength(1);
      const { chat } = await people[0]!.chat.getChat({ chatId: joined[0]!.chat!.id });
      expect(chat).toMatchObject({ memberCount: 8, lastSeq: 8 });
    });

    test('rooms are listed by name, with a filter that ignores case, page by page', async () => {
      const alice = await signIn(open(), 'alice');
      const mark = uniqueName('LiSt');
      const names = ['d', 'B', 'a', 'c'].map((letter) => `${letter}-${mark}`);
      for (const name of names) await alice.chat.joinRoom({ name });

      const filter = mark.toUpperCase();
      const first = await alice.chat.listRooms({ filter, pageSize: 3 });
      const second = await alice.chat.listRooms({ filter, pageSize: 3, pageToken: first.nextPageToken });

      expect([...first.rooms, ...second.rooms].map(({ name }) => name)).toEqual([...names].sort());
      expect([first.rooms.length, second.nextPageToken]).toEqual([3, '']);
      expect((await alice.chat.listRooms({ filter: `${mark}%` })).rooms).toEqual([]);
    });

    test('an invalid room name is refused with the field', async () => {
      const alice = await signIn(open(), 'alice');
      for (const name of ['', '-starts-badly', 'has space', 'x'.repeat(65), 'slash/ed']) {
        expect(await refusedFields(alice.chat.joinRoom({ name }))).toEqual(['name']);
      }
    });

    test('a user is online while they have an open stream', async () => {
      const [alice, bob, eve] = await Promise.all(['alice', 'bob', 'eve'].map((name) => signIn(open(), name)));
      const [group, room] = [await newGroup(alice!, bob!), await newRoom(alice!, bob!)];
      const [, first, second] = await Promise.all([alice!.connect(), bob!.connect(), bob!.connect(), eve!.connect()]);
      const online = async (chatId?: string) =>
        (await alice!.chat.listOnlineUsers({ chatId, pageSize: 200 })).users.map(({ name }) => name);

      expect(await online(group.id)).toEqual([alice!.name, bob!.name]);
      expect(await online()).toEqual(expect.arrayContaining([alice!.name, bob!.name, eve!.name]));
      expect((await eve!.chat.listOnlineUsers({ chatId: room.id })).users).toHaveLength(2);
      await expect(eve!.chat.listOnlineUsers({ chatId: group.id })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });

      const page = await alice!.chat.listOnlineUsers({ chatId: group.id, pageSize: 1 });
      const rest = await alice!.chat.listOnlineUsers({ chatId: group.id, pageToken: page.nextPageToken });
      expect([...page.users, ...rest.users].map(({ id }) => id)).toEqual([alice!.id, bob!.id]);

      first!.close();
      await eventually(async () => expect(await online(group.id)).toContain(bob!.name));
      second!.close();
      await eventually(async () => expect(await online(group.id)).toEqual([alice!.name]));
    });
  });
}
