import { describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, say, signIn, uniqueName } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const nobody = '00000000-0000-4000-8000-000000000000';

/** Registers the tests of CreateChat, GetChat, ListChats and DeleteChat that every transport must pass. */
export function chatsContract(open: () => Transport): void {
  describe('chats', () => {
    test('a group is created with its title, its members and the caller as its owner', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const before = Date.now();

      const { chat, created } = await alice.chat.createChat({
        type: ChatType.GROUP,
        name: 'Weekend plans ☀',
        memberIds: [bob.id],
      });

      expect(created).toBe(true);
      expect(chat).toMatchObject({
        id: expect.stringMatching(uuid),
        type: ChatType.GROUP,
        name: 'Weekend plans ☀',
        lastSeq: 1,
        createdBy: alice.id,
        memberCount: 2,
        ownRole: ChatRole.OWNER,
        joinedSeq: 1,
        peer: undefined,
      });
      expect(chat!.createdAt!.getTime()).toBeGreaterThan(before - 60_000);
      expect((await bob.chat.getChat({ chatId: chat!.id })).chat).toEqual({
        ...chat,
        ownRole: ChatRole.MEMBER,
        joinedSeq: 1,
      });
    });

    test('two users have one direct chat, whichever of them creates it', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);

      const [first, again] = await Promise.all([
        alice.chat.createChat({ type: ChatType.DIRECT, memberIds: [bob.id] }),
        bob.chat.createChat({ type: ChatType.DIRECT, memberIds: [alice.id] }),
      ]);

      expect(first.chat!.id).toBe(again.chat!.id);
      expect([first.created, again.created].filter(Boolean)).toHaveLength(1);
      expect(first.chat).toMatchObject({ type: ChatType.DIRECT, name: '', memberCount: 2, peer: { id: bob.id } });
      expect(again.chat!.peer).toMatchObject({ id: alice.id });
    });

    test('a direct chat is with exactly one other user and has no name', async () => {
      const alice = await signIn(open(), 'alice');
      const create = (request: { name?: string; memberIds?: string[] }) =>
        alice.chat.createChat({ type: ChatType.DIRECT, ...request });

      expect(await refusedFields(create({}))).toEqual(['member_ids']);
      expect(await refusedFields(create({ memberIds: ['a', 'b'] }))).toEqual(['member_ids']);
      expect(await refusedFields(create({ memberIds: [alice.id] }))).toEqual(['member_ids[0]']);
      expect(await refusedFields(create({ name: 'us', memberIds: ['bob'] }))).toEqual(['name']);
    });

    test("a room's name is unique and case-sensitive, and a taken one is refused", async () => {
      const alice = await signIn(open(), 'alice');
      const name = uniqueName('Room');
      await alice.chat.createChat({ type: ChatType.ROOM, name });

      await expect(alice.chat.createChat({ type: ChatType.ROOM, name })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        reason: 'ROOM_EXISTS',
      });
      await expect(alice.chat.createChat({ type: ChatType.ROOM, name: name.toLowerCase() })).resolves.toMatchObject({
        created: true,
      });
    });

    test('every field at fault is named at once', async () => {
      const alice = await signIn(open(), 'alice');

      const request = { type: 99 as ChatType, name: 'x'.repeat(129), memberIds: ['ok', 'not ok', ''] };
      expect(await refusedFields(alice.chat.createChat(request))).toEqual([
        'type',
        'name',
        'member_ids[1]',
        'member_ids[2]',
      ]);
      const twice = { type: ChatType.GROUP, memberIds: ['bob', 'bob'] };
      expect(await refusedFields(alice.chat.createChat(twice))).toEqual(['member_ids[1]']);
      const room = { type: ChatType.ROOM, name: 'no spaces' };
      expect(await refusedFields(alice.chat.createChat(room))).toEqual(['name']);
      expect(await refusedFields(alice.chat.getChat({ chatId: 'general' }))).toEqual(['chat_id']);
    });

    test('a user who is not a member cannot tell a group from one that does not exist; a room is open to all', async () => {
      const [alice, eve] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'eve')]);
      const [group, room] = await Promise.all([newGroup(alice), newRoom(alice)]);

      const hidden = await eve.chat.getChat({ chatId: group.id }).catch((error) => error);
      const absent = await eve.chat.getChat({ chatId: nobody }).catch((error) => error);
      expect(hidden).toMatchObject({ code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' });
      expect([absent.code, absent.reason, absent.message]).toEqual([hidden.code, hidden.reason, hidden.message]);
      expect((await eve.chat.getChat({ chatId: room.id })).chat).toMatchObject({
        name: room.name,
        ownRole: ChatRole.UNSPECIFIED,
        joinedSeq: 0,
        memberCount: 1,
      });
    });

    test('chats are listed with their last message, the most recently changed first, page by page', async () => {
      const alice = await signIn(open(), 'alice');
      const chats = [await newGroup(alice), await newGroup(alice), await newGroup(alice)];
      const { messageId } = await say(alice, chats[0]!, 'newest of all');

      const { chats: all, nextPageToken: none } = await alice.chat.listChats({});
      expect(all.map(({ id }) => id)).toEqual([chats[0]!.id, chats[2]!.id, chats[1]!.id]);
      expect(none).toBe('');
      expect(all[0]!.lastMessage).toMatchObject({ id: messageId, text: 'newest of all', seq: 2 });
      expect(all[1]!.lastMessage?.system?.event?.$case).toBe('chatCreated');

      const first = await alice.chat.listChats({ pageSize: 2 });
      expect(first.chats).toEqual(all.slice(0, 2));
      // A transaction of another test that is still running can make a chat appear twice.
      const rest: typeof all = [];
      for (let pageToken = first.nextPageToken; pageToken !== ''; ) {
        const page = await alice.chat.listChats({ pageSize: 2, pageToken });
        rest.push(...page.chats);
        pageToken = page.nextPageToken;
      }
      expect(new Map([...first.chats, ...rest].map((chat) => [chat.id, chat]))).toEqual(
        new Map(all.map((chat) => [chat.id, chat])),
      );
    });

    test('only an owner may delete a chat; nobody finds it or its messages afterwards', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);
      const { messageId } = await say(bob, group, 'soon gone');

      await expect(bob.chat.deleteChat({ chatId: group.id })).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'ROLE_TOO_LOW',
      });
      await alice.chat.deleteChat({ chatId: group.id.toUpperCase() });

      const gone = { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' };
      await expect(alice.chat.getChat({ chatId: group.id })).rejects.toMatchObject(gone);
      await expect(bob.chat.getMessage({ chatId: group.id, messageId })).rejects.toMatchObject(gone);
      await expect(say(bob, group, 'hello?')).rejects.toMatchObject(gone);
      await expect(alice.chat.deleteChat({ chatId: group.id })).rejects.toMatchObject(gone);
      expect((await bob.chat.listChats({})).chats).toEqual([]);
    });
  });
}
