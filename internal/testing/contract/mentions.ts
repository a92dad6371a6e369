import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Chat, Mention, Message } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { commands } from '../clients/stream-probe.ts';

const text = '😀 @bob @room';
const of = (userId: string): Mention => ({ userId, everyone: false, offset: 2, length: 4 });
const ofAll: Mention = { userId: '', everyone: true, offset: 7, length: 5 };

function mention(sender: Person, chat: { id: string }, mentions: Mention[], clientMessageId: string = randomUUID()) {
  return sender.chat.sendMessage({ chatId: chat.id, text, clientMessageId, mentions });
}

function edit(person: Person, chat: { id: string }, messageId: string, mentions: Mention[], other = text) {
  return person.chat.editMessage({ chatId: chat.id, messageId, clientChangeId: randomUUID(), text: other, mentions });
}

async function countsOf(person: Person, chat: { id: string }) {
  const { unreadCount, mentionCount } = (await person.chat.getChat({ chatId: chat.id })).chat!;
  return { unreadCount, mentionCount };
}

/** Registers the tests of mentions that every transport must pass. */
export function mentionsContract(open: () => Transport): void {
  describe('mentions', () => {
    const scene = async () => {
      const [alice, bob, carol] = (await Promise.all(
        ['alice', 'bob', 'carol'].map((name) => signIn(open(), name)),
      )) as [Person, Person, Person];
      const group = await newGroup(alice, bob, carol);
      const read = async (messageId: string): Promise<Message> =>
        (await bob.chat.getMessage({ chatId: group.id, messageId })).message!;
      const feed = async (person: Person) => (await person.chat.listMentions({})).messages.map(({ id }) => id);
      return { alice, bob, carol, group, read, feed };
    };

    test('are kept with their places, counted for whom they name, and listed newest first', async () => {
      const { alice, bob, carol, group, read, feed } = await scene();
      await say(alice, group, 'hello @bob');
      const one = await mention(alice, group, [of(bob.id)]);
      const both = await mention(alice, group, [of(bob.id), ofAll]);

      expect((await read(both.messageId)).mentions).toEqual([of(bob.id), ofAll]);
      expect(await countsOf(bob, group)).toEqual({ unreadCount: 3, mentionCount: 2 });
      expect(await countsOf(carol, group)).toEqual({ unreadCount: 3, mentionCount: 1 });
      expect(await countsOf(alice, group)).toEqual({ unreadCount: 0, mentionCount: 0 });
      expect(await feed(bob)).toEqual([both.messageId, one.messageId]);
      expect(await feed(carol)).toEqual([both.messageId]);
      expect(await feed(alice)).toEqual([]);

      expect(await bob.chat.markRead({ chatId: group.id, seq: one.seq })).toMatchObject({ mentionCount: 1 });
      expect(await bob.chat.markUnread({ chatId: group.id, fromSeq: 1 })).toMatchObject({ mentionCount: 2 });
      expect(await feed(bob)).toHaveLength(2);
    });

    test('change with the text, and go with it', async () => {
      const { alice, bob, carol, group, read, feed } = await scene();
      const { messageId } = await mention(alice, group, [of(bob.id)]);
      await edit(alice, group, messageId, [of(carol.id)], `${text}!`);
      expect((await read(messageId)).mentions).toEqual([of(carol.id)]);
      expect([await feed(bob), await feed(carol)]).toEqual([[], [messageId]]);
      expect(await countsOf(carol, group)).toEqual({ unreadCount: 1, mentionCount: 1 });

      await edit(alice, group, messageId, [of(carol.id), ofAll], `${text}!`);
      expect(await feed(bob)).toEqual([messageId]);
      await edit(alice, group, messageId, [], `${text}!`);
      expect((await read(messageId)).mentions).toEqual([]);
      expect([await feed(bob), await feed(carol)]).toEqual([[], []]);

      await edit(alice, group, messageId, [of(bob.id)]);
      await alice.chat.deleteMessage({ chatId: group.id, messageId, clientChangeId: '', hide: false, reason: '' });
      expect((await read(messageId)).mentions).toEqual([]);
      expect(await feed(bob)).toEqual([]);
      expect(await countsOf(bob, group)).toEqual({ unreadCount: 0, mentionCount: 0 });
    });

    test('belong to what makes a repetition equal, and a repetition is answered though the user has left', async () => {
      const { alice, bob, carol, group } = await scene();
      const first = await mention(alice, group, [of(bob.id)], 'm');
      expect(await mention(alice, group, [of(bob.id)], 'm')).toEqual(first);
      for (const others of [[], [of(carol.id)], [{ ...of(bob.id), length: 3 }]])
        await expect(mention(alice, group, others, 'm')).rejects.toMatchObject({ reason: 'MESSAGE_ID_REUSED' });
      await bob.chat.leaveChat({ chatId: group.id });
      expect(await mention(alice, group, [of(bob.id)], 'm')).toEqual(first);
      expect(await refusedFields(mention(alice, group, [of(bob.id)]))).toEqual(['mentions[0].user_id']);
    });

    test('of strangers, of everyone without the right, and of parts that are not in the text are refused', async () => {
      const { alice, bob, carol, group } = await scene();
      const eve = await signIn(open(), 'eve');
      const { messageId } = await say(alice, group, text);
      for (const write of [
        (mentions: Mention[]) => mention(alice, group, mentions),
        (mentions: Mention[]) => edit(alice, group, messageId, mentions),
      ]) {
        expect(await refusedFields(write([of(bob.id), { ...of(eve.id), offset: 6 }]))).toEqual(['mentions[1].user_id']);
        expect(await refusedFields(write([{ ...of(bob.id), offset: 10 }]))).toEqual(['mentions[0].length']);
        expect(await refusedFields(write([of(bob.id), of(carol.id)]))).toEqual(['mentions[1].offset']);
        expect(await refusedFields(write([of('')]))).toEqual(['mentions[0].user_id']);
        expect(await refusedFields(write([{ ...ofAll, userId: bob.id }]))).toEqual(['mentions[0].user_id']);
        expect(await refusedFields(write([{ ...of(bob.id), length: 0 }]))).toEqual(['mentions[0].length']);
      }
      await expect(mention(bob, group, [ofAll])).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'ROLE_TOO_LOW',
      });
      // A stranger learns nothing about the members.
      for (const named of [alice, eve])
        await expect(mention(eve, group, [of(named.id)])).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
      expect(await countsOf(bob, group)).toMatchObject({ mentionCount: 0 });
    });

    test('are listed of present chats only, since the user became a member, page by page', async () => {
      const { alice, bob, carol, group, feed } = await scene();
      const room = await newRoom(alice);
      await mention(alice, room, [ofAll]);
      await bob.chat.joinRoom({ name: room.name });
      const sent: string[] = [];
      for (const chat of [group, room, group, room] satisfies Pick<Chat, 'id'>[])
        sent.unshift((await mention(alice, chat, [of(bob.id)])).messageId);
      const pages: string[] = [];
      for (let pageToken = ''; ; ) {
        const page = await bob.chat.listMentions({ pageSize: 3, pageToken });
        pages.push(...page.messages.map(({ id }) => id));
        pageToken = page.nextPageToken;
        if (pageToken === '') break;
      }
      expect(new Set(pages)).toEqual(new Set(sent));
      expect(pages).toHaveLength(sent.length);
      await bob.chat.leaveChat({ chatId: room.id });
      expect(await feed(bob)).toEqual(sent.filter((_, index) => index % 2 === 1));
      expect(await feed(carol)).toEqual([]);
    });
  });
}

/** Registers the tests of the same in streams that every transport with streams must pass. */
export function liveMentionsContract(open: () => Transport): void {
  test('readers get the mentions of messages, live, after an edit and when they catch up', async () => {
    const [alice, bob] = (await Promise.all(['alice', 'bob'].map((name) => signIn(open(), name)))) as [Person, Person];
    const group = await newGroup(alice, bob);
    const [sender, reader] = await Promise.all([alice.connect(), bob.connect()]);
    await reader.ask(commands.subscribe(group.id));
    const base = { chatId: group.id, text, data: undefined };
    const message = { ...base, clientMessageId: 'm', type: '', silent: false, mentions: [of(bob.id), ofAll] };
    const sent = await sender.ask({ $case: 'sendMessage', value: message });
    if (sent.$case !== 'accepted') return expect.unreachable();
    expect(await reader.nextOf('message')).toMatchObject({ mentions: [of(bob.id), ofAll] });
    const { messageId } = sent.value;
    const change = { ...base, messageId, clientChangeId: 'e', mentions: [of(bob.id)] };
    expect(await sender.ask({ $case: 'editMessage', value: change })).toMatchObject({ $case: 'accepted' });
    expect((await reader.nextOf('messageChanged')).message).toMatchObject({ mentions: [of(bob.id)] });
    const late = await bob.connect();
    await late.ask(commands.subscribe(group.id, 0));
    await late.until(() => late.messages(group.id).length === 2);
    expect(late.messages(group.id)[1]).toMatchObject({ id: messageId, mentions: [of(bob.id)] });
  });
}
