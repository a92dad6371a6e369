import { describe, expect, test } from 'vitest';
import type { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { CloseReason, RemovalReason } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, type Person, personOf, say, signIn, uniqueName } from '../clients/person.ts';
import { commands, type StreamProbe } from '../clients/stream-probe.ts';

/** Registers the tests of reading one chat that every transport must pass, also server-sent events, which have no other commands. */
export function readingContract(open: () => Transport): void {
  describe('reading a chat', () => {
    const people = (...names: string[]) => Promise.all(names.map((name) => signIn(open(), name)));

    async function read(person: Person, chatId: string, afterSeq?: number): Promise<StreamProbe> {
      const stream = person.open();
      const answer = await stream.ask(commands.subscribe(chatId, afterSeq));
      if (answer.$case === 'rejected') throw errorFromStatus(answer.value.status!);
      return stream;
    }

    async function history(person: Person, chatId: string): Promise<Message[]> {
      return (await person.chat.listMessages({ chatId, afterSeq: 0, pageSize: 100 })).messages;
    }

    test('messages and cursors are the same live, from any number, and by pages', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const live = await read(bob, group.id, 0);
      for (const text of ['a', 'ä 🎉\u2028"\\', 'c'.repeat(3_000)]) await say(alice, group, text);
      await live.until(() => live.messages(group.id).length === 4);
      const all = await history(bob, group.id);
      expect(live.messages(group.id)).toEqual(all);
      expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      for (let cut = 0; cut <= 4; cut += 1) {
        const resumed = await read(bob, group.id, cut);
        expect(await resumed.nextOf('subscribed')).toMatchObject({ chatId: group.id, headSeq: 4, afterSeq: cut });
        expect(await resumed.nextOf('caughtUp')).toEqual({ chatId: group.id, seq: 4 });
        expect(resumed.messages(group.id)).toEqual(all.slice(cut));
        resumed.close();
      }
    });

    test('a subscription without a number gives only new messages', async () => {
      const [alice] = (await people('alice')) as [Person];
      const group = await newGroup(alice);
      await say(alice, group, 'before');
      const stream = await read(alice, group.id);
      await say(alice, group, 'after');
      await stream.until(() => stream.messages(group.id).length === 1);
      expect(stream.messages(group.id)[0]).toMatchObject({ text: 'after', seq: 3 });
    });

    test('refusals have the same codes and reasons', async () => {
      const [alice, eve] = (await people('alice', 'eve')) as [Person, Person];
      const [group, room] = [await newGroup(alice), await newRoom(alice)];
      const refusals: [Person, string, number | undefined, object][] = [
        [alice, group.id, 2, { code: 'OUT_OF_RANGE', reason: 'CURSOR_IN_FUTURE' }],
        [eve, group.id, 0, { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' }],
        [eve, room.id, undefined, { code: 'PERMISSION_DENIED', reason: 'NOT_A_MEMBER' }],
        [alice, crypto.randomUUID(), undefined, { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' }],
        [alice, 'nonsense', undefined, { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS' }],
      ];
      for (const [person, chatId, afterSeq, error] of refusals) {
        await expect(read(person, chatId, afterSeq)).rejects.toMatchObject(error);
      }
      const stranger = personOf(open(), { id: 'x', name: 'x', token: 'x.y.z' }).open();
      stranger.send(commands.subscribe(group.id));
      const [rejected, error] = await Promise.race([
        stranger.nextOf('rejected').then((event) => [event]),
        stranger.ended.then((error) => [undefined, error] as const),
      ]);
      expect(rejected ? errorFromStatus(rejected.status!) : error).toMatchObject({
        code: 'UNAUTHENTICATED',
        reason: 'TOKEN_INVALID',
      });
    });

    test('a repeated message is stored once, and each repetition gets the same number', async () => {
      const [alice] = (await people('alice')) as [Person];
      const group = await newGroup(alice);
      const stream = await read(alice, group.id);
      const first = (await stream.ask(commands.send(group.id, 'once', 'id'))).value;
      const second = (await stream.ask(commands.send(group.id, 'once', 'id'))).value;
      const receipt = await alice.chat.sendMessage({ chatId: group.id, text: 'once', clientMessageId: 'id' });
      for (const answer of [first, second]) expect(answer).toMatchObject(receipt);
      await say(alice, group, 'next');
      await stream.until(() => stream.messages(group.id).length === 2);
      expect(stream.messages(group.id).map(({ text, seq }) => [text, seq])).toEqual([
        ['once', 2],
        ['next', 3],
      ]);
    });

    test('a removed reader gets chat_removed, and no later message', async () => {
      const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
      const group = await newGroup(alice, bob);
      const stream = await read(bob, group.id, 0);
      await stream.nextOf('caughtUp');
      await alice.chat.removeMember({ chatId: group.id, userId: bob.id });
      await say(alice, group, 'secret');
      expect(await stream.nextOf('chatRemoved')).toEqual({ chatId: group.id, reason: RemovalReason.REMOVED });
      expect(stream.messages(group.id).map(({ seq }) => seq)).toEqual([1]);
    });

    test('readers of a deleted chat get chat_removed', async () => {
      const [alice] = (await people('alice')) as [Person];
      const group = await newGroup(alice);
      const stream = await read(alice, group.id);
      await alice.chat.deleteChat({ chatId: group.id });
      expect(await stream.nextOf('chatRemoved')).toEqual({ chatId: group.id, reason: RemovalReason.DELETED });
    });

    test('the end of a session ends its stream within a second, with the reason', async () => {
      const transport = open();
      const username = uniqueName('carol');
      const tokens = await transport.auth.register({ username, password: 'seven wooden spoons' }, {});
      const carol = personOf(transport, { id: tokens.userId, name: tokens.name, token: tokens.accessToken });
      const group = await newGroup(carol);
      const stream = await read(carol, group.id);
      const begun = performance.now();
      await transport.auth.logout({}, { token: carol.token });
      expect((await stream.nextOf('closing')).reason).toBe(CloseReason.SESSION_REVOKED);
      await stream.ended;
      expect(performance.now() - begun).toBeLessThan(1_000);
    });
  });
}
