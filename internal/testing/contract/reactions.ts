import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ReactionChanged } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../clients/person.ts';
import { type CommandBody, commands } from '../clients/stream-probe.ts';
import { eventually } from '../eventually.ts';

const nothing = '00000000-0000-4000-8000-000000000000';

async function scene(open: () => Transport) {
  const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
  const group = await newGroup(alice, bob);
  const { messageId } = await say(bob, group, 'first');
  const ids = { chatId: group.id, messageId };
  const add = (person: Person, emoji: string, clientChangeId = '') =>
    person.chat.addReaction({ ...ids, emoji, clientChangeId });
  const remove = (person: Person, emoji: string, clientChangeId = '') =>
    person.chat.removeReaction({ ...ids, emoji, clientChangeId });
  const read = async (person: Person) => (await person.chat.getMessage(ids)).message!;
  return { alice, bob, group, ids, add, remove, read };
}

/** Registers the tests of reactions by call that every transport must pass. */
export function reactionsContract(open: () => Transport): void {
  describe('reactions', () => {
    test('are counted by kind and marked as the reader’s own, and leave the message, its place and unread counts alone', async () => {
      const { alice, bob, group, add, remove, read } = await scene(open);
      const before = await read(alice);
      const unread = async () => (await alice.chat.getChat({ chatId: group.id })).chat?.unreadCount;
      const unreadBefore = await unread();
      expect(await add(alice, '👍')).toEqual({ seq: 3, createdAt: expect.any(Date) });
      await add(bob, '👍');
      await add(bob, '👩🏽‍🚀');
      const reactions = [
        { emoji: '👍', count: 2, own: true, seq: 4 },
        { emoji: '👩🏽‍🚀', count: 1, own: false, seq: 5 },
      ];
      expect(await read(alice)).toEqual({ ...before, reactions });
      const { messages } = await bob.chat.listMessages({ chatId: group.id, pageSize: 10 });
      expect(messages.map((one) => one.reactions.map(({ emoji, count, own }) => [emoji, count, own]))).toEqual([
        [],
        [
          ['👍', 2, true],
          ['👩🏽‍🚀', 1, true],
        ],
      ]);
      expect(await unread()).toBe(unreadBefore);
      expect(await remove(alice, '👍')).toMatchObject({ seq: 6 });
      expect((await read(alice)).reactions).toMatchObject([{ emoji: '👍', count: 1, own: false }, { own: false }]);
    });

    test('change nothing if they are as requested, and are answered as the first time under the same id', async () => {
      const { alice, bob, add, remove, read } = await scene(open);
      expect(await remove(alice, '👍')).toMatchObject({ seq: 0 });
      const first = await add(alice, '👍', 'once');
      expect(await add(alice, '👍')).toMatchObject({ seq: 0 });
      await remove(alice, '👍');
      expect(await add(alice, '👍', 'once')).toEqual(first);
      expect((await read(alice)).reactions).toEqual([]);
      const reused = { code: 'ALREADY_EXISTS', reason: 'CHANGE_ID_REUSED' };
      await expect(add(alice, '🎉', 'once')).rejects.toMatchObject(reused);
      await expect(remove(alice, '👍', 'once')).rejects.toMatchObject(reused);
      // The ids of others do not matter.
      expect(await add(bob, '🎉', 'once')).toMatchObject({ seq: 5 });
    });

    test.each([
      ['two emoji', '👍👍'],
      ['a letter', 'a'],
      ['an emoji and a letter', '👍a'],
      ['a short code, which the service does not allow', ':party:'],
    ])('%s cannot be one', async (_, emoji) => {
      const { alice, add } = await scene(open);
      await expect(add(alice, emoji)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        violations: [{ field: 'emoji' }],
      });
    });

    test('of one picture are one kind, however it is written', async () => {
      const { alice, bob, add, read } = await scene(open);
      await add(alice, '❤');
      await add(bob, '❤️');
      expect((await read(bob)).reactions).toMatchObject([{ emoji: '❤️', count: 2, own: true }]);
    });

    test('are listed in their order by page, also those of one kind', async () => {
      const { alice, bob, ids, add, remove } = await scene(open);
      await add(alice, '👍');
      await add(bob, '🎉');
      await add(bob, '👍');
      await remove(bob, '🎉');
      const list = async (request: { emoji?: string; pageSize?: number; pageToken?: string }) => {
        const { reactions, nextPageToken } = await alice.chat.listReactions({ ...ids, ...request });
        return { seen: reactions.map(({ emoji, user, seq }) => [emoji, user?.name, seq]), nextPageToken };
      };
      const [one, two] = [
        ['👍', alice.name, 3],
        ['👍', bob.name, 5],
      ];
      expect(await list({})).toEqual({ seen: [one, two], nextPageToken: '' });
      const page = await list({ pageSize: 1, emoji: '👍' });
      expect(page).toEqual({ seen: [one], nextPageToken: expect.stringMatching(/.+/) });
      expect(await list({ emoji: '👍', pageToken: page.nextPageToken })).toEqual({ seen: [two], nextPageToken: '' });
      expect(await list({ emoji: '🎉' })).toEqual({ seen: [], nextPageToken: '' });
    });

    test('go with the message, and nobody can react to it any more', async () => {
      const { alice, bob, ids, add, read } = await scene(open);
      await add(alice, '👍');
      await bob.chat.deleteMessage({ ...ids, clientChangeId: '', hide: false, reason: '', ifVersion: undefined });
      expect((await read(alice)).reactions).toEqual([]);
      expect(await alice.chat.listReactions(ids)).toMatchObject({ reactions: [] });
      const deleted = { code: 'FAILED_PRECONDITION', reason: 'MESSAGE_DELETED' };
      await expect(add(alice, '🎉')).rejects.toMatchObject(deleted);
      const { changes } = await alice.chat.listChanges({ chatId: ids.chatId, afterSeq: 2 });
      expect(changes.map(({ change }) => change?.$case)).toEqual(['covered', 'messageChanged']);
    });

    test('to what is not there, or in a chat of others, are refused', async () => {
      const { alice, ids } = await scene(open);
      const eve = await signIn(open(), 'eve');
      const reaction = { ...ids, emoji: '👍', clientChangeId: '' };
      const notFound = { code: 'NOT_FOUND', reason: 'MESSAGE_NOT_FOUND' };
      await expect(alice.chat.addReaction({ ...reaction, messageId: nothing })).rejects.toMatchObject(notFound);
      const noChat = { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' };
      await expect(eve.chat.addReaction(reaction)).rejects.toMatchObject(noChat);
      await expect(eve.chat.listReactions(ids)).rejects.toMatchObject(noChat);
      const room = await newRoom(alice);
      const { messageId } = await say(alice, room, 'public');
      const notAMember = { code: 'PERMISSION_DENIED', reason: 'NOT_A_MEMBER' };
      const elsewhere = { chatId: room.id, messageId, emoji: '👍', clientChangeId: '' };
      await expect(eve.chat.addReaction(elsewhere)).rejects.toMatchObject(notAMember);
    });
  });
}

/** Registers the tests of reactions in streams. */
export function liveReactionsContract(open: () => Transport): void {
  describe('reactions in a stream', () => {
    const react = (
      $case: 'addReaction' | 'removeReaction',
      ids: { chatId: string; messageId: string },
      emoji: string,
      clientChangeId: string = randomUUID(),
    ) => ({ $case, value: { ...ids, emoji, clientChangeId } }) satisfies CommandBody;

    test('reach live readers, and those who come back at any point, once and in the order of their numbers', async () => {
      const { alice, bob, group, ids } = await scene(open);
      const [stream, live] = await Promise.all([alice.connect(), bob.connect()]);
      for (const one of [stream, live]) {
        await one.ask(commands.subscribe(group.id, 0));
        // A reader that catches up is not told what was replaced meanwhile.
        await one.nextOf('caughtUp');
      }
      const added = await stream.ask(react('addReaction', ids, '👍', 'a'));
      expect(added).toMatchObject({ $case: 'accepted', value: { messageId: ids.messageId, seq: 3 } });
      expect(await stream.ask(react('addReaction', ids, '👍', 'a'))).toMatchObject({ value: { seq: 3 } });
      expect(await stream.ask(react('addReaction', ids, '👍'))).toMatchObject({ $case: 'accepted', value: { seq: 0 } });
      await stream.ask(react('removeReaction', ids, '👍'));
      await stream.ask(react('addReaction', ids, '👍'));
      await stream.ask(react('addReaction', ids, '🎉'));
      const all = [
        [3, '👍', true, 1],
        [4, '👍', false, 0],
        [5, '👍', true, 1],
        [6, '🎉', true, 1],
      ];
      const seen = (change: ReactionChanged) => [change.seq, change.emoji, change.added, change.count?.count];
      for (const one of [stream, live]) {
        await eventually(() => expect(one.all('reaction').map(seen)).toEqual(all));
        expect(one.all('reaction')[0]).toMatchObject({ messageSeq: 2, user: { id: alice.id, name: alice.name } });
      }
      for (let cursor = 2; cursor <= 6; cursor += 1) {
        const late = await bob.connect();
        await late.ask(commands.subscribe(group.id, cursor));
        expect(await late.nextOf('caughtUp')).toEqual({ chatId: group.id, seq: 6 });
        const got = late.events.flatMap((event) => {
          if (event.$case === 'reaction') return [seen(event.value)];
          return event.$case === 'covered' ? [[event.value.fromSeq, event.value.toSeq]] : [];
        });
        // From memory a reader gets each change; from the database those that were replaced are covered.
        const covered = cursor < 4 ? [[cursor + 1, 4], ...all.slice(2)] : all.slice(cursor - 2);
        expect([covered, all.slice(cursor - 2)]).toContainEqual(got);
        late.close();
      }
    });
  });
}
