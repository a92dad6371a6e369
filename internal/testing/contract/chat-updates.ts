import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn, uniqueName } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { commands } from '../clients/stream-probe.ts';
import { type Issue, personWith } from './issue.ts';

const data = { colour: 'green ☕', sizes: [1, -2.5, null, true], deep: { deeper: {} } };
const nothing = { messageId: '', seq: 0, createdAt: undefined };

type Fields = { name?: string; description?: string; data?: Record<string, unknown>; clientChangeId?: string };

function update({ chat }: Person, { id: chatId }: { id: string }, fields: Fields) {
  return chat.updateChat({ chatId, ...fields });
}

const chatOf = async (person: Person, { id: chatId }: { id: string }) => (await person.chat.getChat({ chatId })).chat!;

/** Registers the tests of UpdateChat that every transport must pass. */
export function chatUpdatesContract(open: () => Transport, issue: Issue): void {
  const people = async () => Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);

  describe('updates of chats', () => {
    test('an update changes only the fields that are set, and is recorded under the next number', async () => {
      const [alice, bob] = await people();
      const group = await newGroup(alice, bob);
      expect(group).toMatchObject({ description: '', data: {} });

      const described = await update(alice, group, { description: 'Tea ☕\n"and"', data });
      expect(described).toEqual({ messageId: expect.any(String), seq: 2, createdAt: expect.any(Date) });
      expect(await chatOf(bob, group)).toMatchObject({
        name: group.name,
        description: 'Tea ☕\n"and"',
        data,
        lastSeq: 2,
      });

      await update(alice, { id: group.id.toUpperCase() }, { name: 'Tea' });
      await update(alice, group, { description: '' });
      await update(alice, group, { data: {} });
      expect(await chatOf(bob, group)).toMatchObject({ name: 'Tea', description: '', data: {}, lastSeq: 5 });
      const { messages } = await bob.chat.listMessages({ chatId: group.id, afterSeq: 1 });
      expect(messages[0]).toMatchObject({ id: described.messageId, sender: { id: alice.id }, clientMessageId: '' });
      expect(messages.map(({ system }) => system?.event)).toEqual([
        { $case: 'chatUpdated', value: { name: undefined, description: 'Tea ☕\n"and"', data } },
        { $case: 'chatUpdated', value: { name: 'Tea', description: undefined, data: undefined } },
        { $case: 'chatUpdated', value: { name: undefined, description: '', data: undefined } },
        { $case: 'chatUpdated', value: { name: undefined, description: undefined, data: {} } },
      ]);
      const { changes } = await bob.chat.listChanges({ chatId: group.id, afterSeq: 1 });
      expect(changes.map(({ change }) => change)).toEqual(messages.map((value) => ({ $case: 'message', value })));
    });

    test('nothing is recorded if nothing changes', async () => {
      const [alice] = await people();
      const group = await newGroup(alice);
      expect(await update(alice, group, {})).toEqual(nothing);
      expect(await update(alice, group, { name: group.name, description: '', data: {} })).toEqual(nothing);
      await update(alice, group, { description: 'about', data });
      const reordered = Object.fromEntries(Object.entries(data).reverse());
      expect(await update(alice, group, { description: 'about', data: reordered })).toEqual(nothing);
      expect((await chatOf(alice, group)).lastSeq).toBe(2);

      await update(alice, group, { description: 'about', name: 'new' });
      const { messages } = await alice.chat.listMessages({ chatId: group.id, afterSeq: 2 });
      expect(messages.map(({ system }) => system?.event?.value)).toEqual([
        { name: 'new', description: undefined, data: undefined },
      ]);
    });

    test('a repetition is answered as the first time, and the id is good for one change', async () => {
      const [alice, bob] = await people();
      const group = await newGroup(alice, bob);
      await alice.chat.updateMember({ chatId: group.id, userId: bob.id, role: ChatRole.ADMIN });
      const fields = { description: 'first', data, clientChangeId: 'u' };
      const first = await update(bob, group, fields);
      await update(alice, group, { description: 'second' });
      const reordered = Object.fromEntries(Object.entries(data).reverse());
      expect(await update(bob, group, { ...fields, data: reordered })).toEqual(first);
      expect(await chatOf(alice, group)).toMatchObject({ description: 'second', lastSeq: 4 });

      // Also when the role is gone: the answer says what was done with it.
      await alice.chat.updateMember({ chatId: group.id, userId: bob.id, role: ChatRole.MEMBER });
      expect(await update(bob, group, fields)).toEqual(first);
      const reused = { code: 'ALREADY_EXISTS', reason: 'CHANGE_ID_REUSED' };
      await expect(update(bob, group, { ...fields, data: {} })).rejects.toMatchObject(reused);
      // The ids of others are their own.
      expect(await update(alice, group, fields)).toMatchObject({ seq: 6 });
    });

    test('an id is for a change of a message or of the chat, not for both', async () => {
      const [alice] = await people();
      const group = await newGroup(alice);
      const { messageId } = await say(alice, group, 'text');
      const ofMessage = { chatId: group.id, messageId };
      const edit = (clientChangeId: string) => alice.chat.editMessage({ ...ofMessage, clientChangeId, text: 'new' });
      const remove = (clientChangeId: string) => alice.chat.deleteMessage({ ...ofMessage, clientChangeId });
      await update(alice, group, { description: 'about', clientChangeId: 'chat' });
      const reused = { code: 'ALREADY_EXISTS', reason: 'CHANGE_ID_REUSED' };
      await expect(edit('chat')).rejects.toMatchObject(reused);
      await expect(remove('chat')).rejects.toMatchObject(reused);
      await edit('edit');
      await remove('deletion');
      for (const clientChangeId of ['edit', 'deletion']) {
        await expect(update(alice, group, { description: 'x', clientChangeId })).rejects.toMatchObject(reused);
      }
      expect(await chatOf(alice, group)).toMatchObject({ description: 'about', lastSeq: 5 });
    });

    test("a room's new name is unique and valid; the room is joined and found by it", async () => {
      const [alice, bob] = await people();
      const [room, other] = [await newRoom(alice), await newRoom(alice)];
      const taken = { code: 'ALREADY_EXISTS', reason: 'ROOM_EXISTS' };
      await expect(update(alice, room, { name: other.name, description: 'lost' })).rejects.toMatchObject(taken);
      for (const name of ['', 'no spaces', '-x', 'x'.repeat(65)]) {
        expect(await refusedFields(update(alice, room, { name }))).toEqual(['name']);
      }
      expect(await chatOf(alice, room)).toMatchObject({ name: room.name, description: '', lastSeq: 1 });

      const name = uniqueName('renamed');
      await update(alice, room, { name });
      const joined = await bob.chat.joinRoom({ name });
      expect(joined).toMatchObject({ created: false, chat: { id: room.id, name } });
      expect((await bob.chat.listRooms({ filter: name })).rooms).toMatchObject([{ id: room.id }]);
      const again = await bob.chat.createChat({ type: ChatType.ROOM, name: room.name });
      expect(again.chat!.id).not.toBe(room.id);
    });

    test('a direct chat has nothing to update, and a group may have any title that it can be created with', async () => {
      const [alice, bob] = await people();
      const { chat: direct } = await alice.chat.createChat({ type: ChatType.DIRECT, memberIds: [bob.id] });
      const refused = { code: 'FAILED_PRECONDITION', reason: 'CHAT_IS_DIRECT' };
      await expect(update(alice, direct!, { description: 'us' })).rejects.toMatchObject(refused);
      const group = await newGroup(alice, bob);
      for (const name of ['', 'with spaces ☀', 'x'.repeat(128)]) {
        await update(alice, group, { name });
        expect((await chatOf(bob, group)).name).toBe(name);
      }
    });

    test('fields that are not valid are refused, each by name', async () => {
      const [alice] = await people();
      const group = await newGroup(alice);
      const fields = { name: 'x'.repeat(129), description: 'x'.repeat(1_001), clientChangeId: 'a b' };
      expect(await refusedFields(update(alice, group, fields))).toEqual(['client_change_id', 'name', 'description']);
      expect(await refusedFields(update(alice, group, { description: 'NUL \0' }))).toEqual(['description']);
      const tooDeep = JSON.parse(`${'{"a":'.repeat(16)}{}${'}'.repeat(16)}`);
      for (const wrong of [{ a: 'x'.repeat(5_120) }, { 'NUL \0': 1 }, { a: ['NUL \0'] }, tooDeep]) {
        expect(await refusedFields(update(alice, group, { data: wrong }))).toEqual(['data']);
      }
      const largest = { a: 'x'.repeat(5_120 - '{"a":""}'.length) };
      await update(alice, group, { data: largest });
      await update(alice, group, { data: tooDeep.a });
      expect(await chatOf(alice, group)).toMatchObject({ data: tooDeep.a, lastSeq: 3 });
    });

    test('the audit log keeps who changed what, from which value to which', async () => {
      const [alice] = await people();
      const group = await newGroup(alice);
      await update(alice, group, { description: 'about', data });
      await update(alice, group, { name: 'new', description: 'about', clientChangeId: randomUUID() });
      const admin = await personWith(open(), issue, 'admin');
      const { events } = await admin.chat.listAuditEvents({ chatId: group.id });
      expect(events.slice(0, 2)).toMatchObject([
        { action: 'chat.update', actorId: alice.id, detail: { from: { name: group.name }, to: { name: 'new' } } },
        { detail: { from: { description: '', data: {} }, to: { description: 'about', data } } },
      ]);
    });
  });
}

/** Registers the test of updates of chats in streams that every transport with streams must pass. */
export function liveChatUpdatesContract(open: () => Transport): void {
  test('a chat is updated by a command in a stream, and every reader gets the new values once', async () => {
    const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
    const group = await newGroup(alice, bob);
    const [sender, reader] = await Promise.all([alice.connect(), bob.connect()]);
    for (const stream of [sender, reader]) await stream.ask(commands.subscribe(group.id));
    const ask = (description: string, clientChangeId: string) =>
      sender.ask({
        $case: 'updateChat',
        value: { chatId: group.id, clientChangeId, name: undefined, description, data },
      });

    const accepted = { $case: 'accepted', value: { messageId: expect.any(String), seq: 2 } };
    const first = await ask('about', 'u');
    expect(first).toMatchObject(accepted);
    expect((await ask('about', 'u')).value).toMatchObject({ ...first.value, commandId: expect.any(String) });
    expect(await ask('about', 'other')).toMatchObject({ $case: 'accepted', value: { messageId: '', seq: 0 } });
    expect(await ask('changed', 'u')).toMatchObject({ $case: 'rejected' });
    await say(alice, group, 'the end');
    for (const stream of [sender, reader]) {
      await stream.next(({ $case, value }) => $case === 'message' && value.text === 'the end');
      const messages = stream.events.flatMap((event) => (event.$case === 'message' ? [event.value] : []));
      expect(messages.map(({ seq, system }) => [seq, system?.event])).toEqual([
        [2, { $case: 'chatUpdated', value: { name: undefined, description: 'about', data } }],
        [3, undefined],
      ]);
    }
  });
}
