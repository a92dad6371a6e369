import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, type Person, say, signIn } from '../clients/person.ts';
import { refusedFields } from '../clients/refused-fields.ts';
import { type CommandBody, commands } from '../clients/stream-probe.ts';

const nothing = '00000000-0000-4000-8000-000000000000';

async function scene(open: () => Transport) {
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => signIn(open(), name)));
  if (!alice || !bob || !carol) return expect.unreachable();
  const group = await newGroup(alice, bob, carol);
  const root = await say(alice, group, 'root');
  const thread = { chatId: group.id, messageId: root.messageId };
  const reply = (
    person: Person,
    fields: { text?: string; silent?: boolean; replyToId?: string; rootId?: string } = {},
  ) =>
    person.chat.sendMessage({
      chatId: group.id,
      text: 'reply',
      clientMessageId: randomUUID(),
      rootId: root.messageId,
      ...fields,
    });
  const remove = (messageId: string, hide = false) =>
    alice.chat.deleteMessage({ chatId: group.id, messageId, clientChangeId: '', hide, reason: '' });
  const summary = async () => (await bob.chat.getMessage(thread)).message?.thread;
  const followed = async (person: Person) =>
    (await person.chat.listThreads({ chatId: group.id })).threads.map(
      ({ root: { id } = {}, readSeq, unreadCount }) => ({
        id,
        readSeq,
        unreadCount,
      }),
    );
  return { alice, bob, carol, group, root, thread, reply, remove, summary, followed };
}

/** Registers the tests of threads by call that every transport must pass. */
export function threadsContract(open: () => Transport): void {
  describe('threads', () => {
    test('a root tells how many messages its thread has, the last one and who wrote, in every answer alike', async () => {
      const { alice, bob, carol, group, thread, reply, summary } = await scene(open);
      expect(await summary()).toBeUndefined();
      await reply(bob);
      await reply(carol);
      const last = await reply(bob);
      const expected = {
        replyCount: 3,
        lastSeq: last.seq,
        lastAt: last.createdAt,
        participantIds: [bob.id, carol.id],
        updateSeq: last.seq,
      };
      expect(await summary()).toEqual(expected);
      const { messages } = await alice.chat.listMessages({ chatId: group.id });
      expect(messages.map((message) => message.thread)).toEqual([undefined, expected, undefined, undefined, undefined]);
      expect((await alice.chat.listThread(thread)).root?.thread).toEqual(expected);
      expect((await alice.chat.listThreads({})).threads[0]?.root?.thread).toEqual(expected);
    });

    test('a deleted message of a thread counts no more, however it was deleted, and the thread ends earlier', async () => {
      const { bob, carol, reply, remove, summary } = await scene(open);
      const first = await reply(carol);
      const second = await reply(bob);
      const third = await reply(carol);
      await remove(third.messageId);
      expect(await summary()).toMatchObject({ replyCount: 2, lastSeq: second.seq, lastAt: second.createdAt });
      const hidden = await remove(third.messageId, true);
      expect(await summary()).toMatchObject({ replyCount: 2, updateSeq: hidden.seq - 1 });
      await remove(first.messageId, true);
      expect(await summary()).toMatchObject({ replyCount: 1, lastSeq: second.seq, participantIds: [bob.id] });
      const { seq } = await remove(second.messageId);
      expect(await summary()).toEqual({
        replyCount: 0,
        lastSeq: 0,
        lastAt: undefined,
        participantIds: [],
        updateSeq: seq,
      });
    });

    test('ListThread pages through a thread alone, in both directions, whichever of its messages is named', async () => {
      const { alice, bob, group, root, thread, reply, remove } = await scene(open);
      const seqs: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        await say(alice, group, 'between');
        seqs.push((await reply(bob)).seq);
      }
      const hidden = await reply(bob);
      await remove(hidden.messageId, true);
      const page = async (range: object, messageId = root.messageId) => {
        const { messages, hasMore, root: first } = await alice.chat.listThread({ ...thread, messageId, ...range });
        expect(first).toMatchObject({ id: root.messageId, text: 'root', thread: { replyCount: 5 } });
        return [messages.map(({ seq }) => seq), hasMore];
      };
      expect(await page({})).toEqual([seqs, false]);
      expect(await page({ pageSize: 2 })).toEqual([seqs.slice(3), true]);
      expect(await page({ pageSize: 2, beforeSeq: seqs[3] })).toEqual([seqs.slice(1, 3), true]);
      expect(await page({ pageSize: 2, beforeSeq: seqs[1] })).toEqual([seqs.slice(0, 1), false]);
      expect(await page({ pageSize: 3, afterSeq: 0 })).toEqual([seqs.slice(0, 3), true]);
      expect(await page({ afterSeq: seqs[2] })).toEqual([seqs.slice(3), false]);
      const { messages, epoch } = await alice.chat.listThread(thread);
      expect(await page({}, messages[1]!.id)).toEqual([seqs, false]);
      expect(epoch).toBe((await alice.chat.listMessages({ chatId: group.id })).epoch);
      expect(await refusedFields(alice.chat.listThread({ ...thread, beforeSeq: 1, afterSeq: 1 }))).toEqual([
        'before_seq',
      ]);
    });

    test('pages carry the messages that theirs reply to, in their newest state, and deleted ones as tombstones', async () => {
      const { alice, bob, group, thread, reply, remove } = await scene(open);
      const [one, two, three] = [
        await say(bob, group, 'one'),
        await say(bob, group, 'two'),
        await say(bob, group, 'three'),
      ];
      const first = await reply(bob, { replyToId: one.messageId });
      await reply(bob, { replyToId: two.messageId });
      await reply(bob, { replyToId: three.messageId });
      await reply(bob, { replyToId: first.messageId });
      const last = await reply(bob, { replyToId: one.messageId });
      await bob.chat.editMessage({ chatId: group.id, messageId: one.messageId, text: 'one!', clientChangeId: 'e' });
      await remove(two.messageId);
      await remove(three.messageId, true);
      const expected = [
        { id: one.messageId, text: 'one!', hidden: false },
        { id: two.messageId, text: '', deletedAt: expect.any(Date), hidden: false },
        { id: three.messageId, text: '', deletedAt: expect.any(Date), hidden: true },
      ];
      const listed = await alice.chat.listMessages({ chatId: group.id, pageSize: 5 });
      expect(listed).toMatchObject({ referenced: expected, hasMore: true });
      expect(listed.referenced).toHaveLength(3);
      // What is in the page is not carried twice; a hidden message is in none.
      expect((await alice.chat.listMessages({ chatId: group.id })).referenced).toMatchObject(expected.slice(2));
      expect((await alice.chat.listThread(thread)).referenced).toMatchObject(expected);
      const changes = await alice.chat.listChanges({ chatId: group.id, afterSeq: first.seq - 1, pageSize: 1 });
      expect(changes).toMatchObject({
        changes: [{ change: { value: { id: first.messageId } } }],
        referenced: [expected[0]],
      });
      const ids = { chatId: group.id, messageId: last.messageId };
      expect(await alice.chat.getMessage(ids)).toMatchObject({
        message: { id: last.messageId },
        referenced: [expected[0]],
      });
    });

    test('who writes in a thread follows it, and so does who wrote its root; others do when they ask for it', async () => {
      const { alice, bob, carol, root, thread, reply, followed } = await scene(open);
      const id = root.messageId;
      const first = await reply(bob);
      expect(await followed(alice)).toEqual([{ id, readSeq: root.seq, unreadCount: 1 }]);
      expect(await followed(bob)).toEqual([{ id, readSeq: first.seq, unreadCount: 0 }]);
      expect(await followed(carol)).toEqual([]);
      expect(await carol.chat.listThread(thread)).toMatchObject({ following: false, readSeq: 0 });

      for (let i = 0; i < 2; i += 1) expect(await carol.chat.followThread(thread)).toEqual({});
      expect(await followed(carol)).toEqual([{ id, readSeq: first.seq, unreadCount: 0 }]);
      expect(await carol.chat.listThread(thread)).toMatchObject({ following: true, readSeq: first.seq });
      for (let i = 0; i < 2; i += 1) expect(await alice.chat.unfollowThread(thread)).toEqual({});
      const second = await reply(bob);
      expect(await followed(alice)).toEqual([]);
      expect(await followed(carol)).toEqual([{ id, readSeq: first.seq, unreadCount: 1 }]);
      // Writing again is following again; what was written before it is read.
      const third = await reply(alice);
      expect(await followed(alice)).toEqual([{ id, readSeq: third.seq, unreadCount: 0 }]);
      expect(second.seq).toBeLessThan(third.seq);
    });

    test('unread messages of a thread are those of others after the mark, without silent and deleted ones', async () => {
      const { alice, bob, thread, reply, remove, followed } = await scene(open);
      const seqs = [(await reply(bob)).seq, (await reply(bob)).seq];
      await reply(bob, { silent: true });
      await reply(alice);
      const { messageId } = await reply(bob);
      const unread = async () => (await followed(alice))[0]?.unreadCount;
      expect(await unread()).toBe(3);
      await remove(messageId);
      expect(await unread()).toBe(2);
      expect(await alice.chat.markThreadRead({ ...thread, seq: seqs[0]! })).toEqual({
        readSeq: seqs[0],
        unreadCount: 1,
      });
      expect(await unread()).toBe(1);
      expect(await alice.chat.markThreadRead({ ...thread, seq: 0 })).toEqual({ readSeq: seqs[0], unreadCount: 1 });
      expect((await alice.chat.listThread(thread)).readSeq).toBe(seqs[0]);
      expect(await alice.chat.markThreadRead({ ...thread, seq: seqs[1]! })).toEqual({
        readSeq: seqs[1],
        unreadCount: 0,
      });
    });

    test('ListThreads lists the threads of all chats by their last messages, in pages', async () => {
      const { alice, bob, group } = await scene(open);
      const other = await newGroup(alice, bob);
      const roots: string[] = [];
      for (const chat of [group, other, group, other, group]) {
        const { messageId: rootId } = await say(alice, chat, 'root');
        await bob.chat.sendMessage({ chatId: chat.id, text: 'reply', clientMessageId: randomUUID(), rootId });
        roots.unshift(rootId);
      }
      const list = async (chatId?: string) => {
        const found: (string | undefined)[] = [];
        for (let pageToken = ''; ; ) {
          const page = await bob.chat.listThreads({ chatId, pageSize: 2, pageToken });
          expect(page.threads.length).toBeLessThanOrEqual(2);
          found.push(...page.threads.map(({ root }) => root?.id));
          pageToken = page.nextPageToken;
          if (!pageToken) return found;
        }
      };
      expect(await list()).toEqual(roots);
      expect(await list(other.id)).toEqual([roots[1], roots[3]]);
      expect(await refusedFields(bob.chat.listThreads({ pageToken: 'x' }))).toEqual(['page_token']);
    });

    test('threads are refused to strangers, and what is asked in vain says why', async () => {
      const { alice, bob, group, root, thread, reply, remove } = await scene(open);
      const stranger = await signIn(open(), 'stranger');
      const { messages } = await alice.chat.listMessages({ chatId: group.id, afterSeq: 0, pageSize: 1 });
      const systemMessage = { ...thread, messageId: messages[0]!.id };
      const expectRefused = async (person: Person, of: typeof thread, refusal: object) => {
        await expect(person.chat.listThread(of)).rejects.toMatchObject(refusal);
        await expect(person.chat.followThread(of)).rejects.toMatchObject(refusal);
        await expect(person.chat.unfollowThread(of)).rejects.toMatchObject(refusal);
        await expect(person.chat.markThreadRead({ ...of, seq: 1 })).rejects.toMatchObject(refusal);
      };
      await expectRefused(stranger, thread, { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' });
      const absent = { ...thread, messageId: nothing };
      await expectRefused(bob, absent, { code: 'NOT_FOUND', reason: 'MESSAGE_NOT_FOUND' });
      await expect(bob.chat.followThread(systemMessage)).rejects.toMatchObject({ reason: 'SYSTEM_MESSAGE' });
      await expect(bob.chat.markThreadRead({ ...thread, seq: 1 })).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        reason: 'THREAD_NOT_FOLLOWED',
      });
      await reply(bob);
      await expect(bob.chat.markThreadRead({ ...thread, seq: 99 })).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
        reason: 'CURSOR_IN_FUTURE',
      });
      await remove(root.messageId, true);
      await expect(bob.chat.listThread(thread)).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
      expect((await bob.chat.listThreads({})).threads).toEqual([]);
    });

    test('following ends with the membership', async () => {
      const { alice, bob, group, reply, followed } = await scene(open);
      await reply(bob);
      await alice.chat.removeMember({ chatId: group.id, userId: bob.id });
      expect((await bob.chat.listThreads({})).threads).toEqual([]);
      await alice.chat.addMembers({ chatId: group.id, userIds: [bob.id] });
      expect(await followed(bob)).toEqual([]);
      await reply(alice);
      expect(await followed(bob)).toEqual([]);
    });
  });
}

/** Registers the tests of following by commands that every transport with streams must pass. */
export function liveThreadsContract(open: () => Transport): void {
  test('threads are followed, marked as read and left by commands of a stream, without a number of the chat', async () => {
    const { alice, bob, carol, group, thread, reply, followed } = await scene(open);
    const stream = await carol.connect();
    await stream.ask(commands.subscribe(group.id));
    const ask = async (command: CommandBody) => (await stream.ask(command)).$case;
    expect(await ask({ $case: 'followThread', value: thread })).toBe('accepted');
    const { seq } = await reply(bob);
    expect(await followed(carol)).toMatchObject([{ unreadCount: 1 }]);
    expect(await ask({ $case: 'markThreadRead', value: { ...thread, seq } })).toBe('accepted');
    expect(await followed(carol)).toMatchObject([{ readSeq: seq, unreadCount: 0 }]);
    expect(await ask({ $case: 'unfollowThread', value: thread })).toBe('accepted');
    expect(await followed(carol)).toEqual([]);
    expect(await ask({ $case: 'markThreadRead', value: { ...thread, seq } })).toBe('rejected');
    expect((await alice.chat.getChat({ chatId: group.id })).chat?.lastSeq).toBe(seq);
  });
}
