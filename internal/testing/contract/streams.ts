import { describe, expect, test } from 'vitest';
import { ChatType, RemovalReason, StartFrom } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, newRoom, say, signIn } from '../clients/person.ts';
import { commands, type EventBody } from '../clients/stream-probe.ts';

/** Returns the error in a `rejected` event. */
function refusal(event: EventBody) {
  if (event.$case !== 'rejected') return expect.unreachable(`expected a refusal, got ${event.$case}`);
  return errorFromStatus(event.value.status!);
}

/** Registers the tests of ConnectChat, its commands and their answers, that every transport must pass. */
export function streamsContract(open: () => Transport): void {
  describe('streams', () => {
    test('a stream begins with welcome, which names the user and the limits', async () => {
      const alice = await signIn(open(), 'alice');
      const stream = await alice.connect();

      expect(stream.events[0]).toMatchObject({
        $case: 'welcome',
        value: {
          sessionId: expect.stringMatching(/./),
          user: { id: alice.id, name: alice.name },
          limits: { maxTextLength: 4_000, maxFrameBytes: 1_048_576, maxCommandsPerFrame: 256, maxSubscriptions: 1_000 },
        },
      });
      const { tokenExpiresAt } = await stream.nextOf('welcome');
      expect(tokenExpiresAt!.getTime()).toBeGreaterThan(Date.now() + 800_000);
    });

    test('all readers get a message that is sent on a stream, unchanged', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const group = await newGroup(alice, bob);
      const [sender, reader] = await Promise.all([alice.connect(), bob.connect()]);
      expect(await reader.ask(commands.subscribe(group.id))).toMatchObject({
        $case: 'subscribed',
        value: { chatId: group.id, headSeq: 1, afterSeq: 1 },
      });

      const accepted = await sender.ask(commands.send(group.id, 'hello', 'my-id'));

      const message = await reader.nextOf('message');
      expect(accepted.value).toMatchObject({ messageId: message.id, seq: 2, createdAt: message.createdAt });
      expect((await bob.chat.getMessage({ chatId: group.id, messageId: message.id })).message).toEqual(message);
      expect(message).toMatchObject({ text: 'hello', clientMessageId: 'my-id', sender: { id: alice.id } });
      expect(sender.all('message')).toEqual([]);
    });

    test('a subscription from a number gives the later messages, then caught_up, then live messages', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);
      for (const text of ['a', 'b', 'c']) await say(alice, group, text);
      const stream = await alice.connect();

      expect(await stream.ask(commands.subscribe(group.id, 2))).toMatchObject({ value: { headSeq: 4, afterSeq: 2 } });
      expect(await stream.nextOf('caughtUp')).toEqual({ chatId: group.id, seq: 4 });
      expect(stream.messages(group.id).map(({ text }) => text)).toEqual(['b', 'c']);
      await say(alice, group, 'd');
      await stream.until(() => stream.messages(group.id).length === 3);
      expect(stream.messages(group.id).at(-1)).toMatchObject({ text: 'd', seq: 5 });

      // Subscribes again, from the beginning.
      const from = stream.events.length;
      await stream.ask(commands.subscribe(group.id, 0));
      await stream.next(({ $case }) => $case === 'caughtUp', from);
      const again = stream.events.slice(from).filter(({ $case }) => $case === 'message');
      expect(again.map(({ value }) => 'seq' in value && value.seq)).toEqual([1, 2, 3, 4, 5]);
    });

    test('a number beyond the last one is refused', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);
      const stream = await alice.connect();
      const refused = { code: 'OUT_OF_RANGE', reason: 'CURSOR_IN_FUTURE' };

      const one = refusal(await stream.ask(commands.subscribe(group.id, 2)));
      const all = refusal(await stream.ask(commands.subscribeAll({ [group.id]: 2 })));

      expect(one).toMatchObject({ ...refused, violations: [{ field: 'subscribe.after_seq' }] });
      expect(all).toMatchObject({ ...refused, violations: [{ field: `subscribe_all.cursors["${group.id}"]` }] });
      expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
    });

    test('subscribe_all delivers every chat, each from the client’s cursor', async () => {
      const alice = await signIn(open(), 'alice');
      const [seen, fresh] = [await newGroup(alice), await newGroup(alice)];
      for (const chat of [seen, fresh]) for (const text of ['a', 'b']) await say(alice, chat, text);
      const [lost, joined, beginning] = await Promise.all([alice.connect(), alice.connect(), alice.connect()]);
      const left = await newRoom(alice);
      await alice.chat.leaveChat({ chatId: left.id });

      const answer = await lost.ask(commands.subscribeAll({ [seen.id]: 2, [left.id]: 1 }, StartFrom.NOW));
      expect(answer).toMatchObject({ $case: 'accepted' });
      await lost.until(() => lost.all('caughtUp').length === 2);
      expect(lost.messages(seen.id).map(({ text }) => text)).toEqual(['b']);
      expect(lost.messages(fresh.id)).toEqual([]);
      expect(lost.all('chatRemoved')).toEqual([{ chatId: left.id, reason: RemovalReason.UNSPECIFIED }]);
      expect(lost.all('subscribed').map(({ chatId, afterSeq }) => [chatId, afterSeq])).toEqual(
        expect.arrayContaining([
          [seen.id, 2],
          [fresh.id, 3],
        ]),
      );

      for (const [stream, start] of [
        [joined, StartFrom.JOINED],
        [beginning, StartFrom.BEGINNING],
      ] as const) {
        await stream.ask(commands.subscribeAll({}, start));
        await stream.until(() => stream.all('caughtUp').length === 2);
        expect(stream.messages(fresh.id).map(({ seq }) => seq)).toEqual([1, 2, 3]);
      }
    });

    test('JOINED begins with the first message since the user became a member', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const room = await newRoom(alice);
      await say(alice, room, 'before');
      await bob.chat.joinRoom({ name: room.name });
      await say(alice, room, 'after');
      const stream = await bob.connect();

      await stream.ask(commands.subscribeAll({}, StartFrom.JOINED));

      await stream.nextOf('caughtUp');
      expect(stream.messages(room.id).map(({ seq, text }) => [seq, text])).toEqual([
        [3, ''],
        [4, 'after'],
      ]);
    });

    test('after unsubscribe no event of the chat is sent', async () => {
      const alice = await signIn(open(), 'alice');
      const group = await newGroup(alice);
      const stream = await alice.connect();
      await stream.ask(commands.subscribe(group.id));

      expect(await stream.ask(commands.unsubscribe(group.id))).toMatchObject({ $case: 'accepted' });
      await say(alice, group, 'unheard');
      expect(await stream.ask(commands.send(group.id, 'unheard too'))).toMatchObject({ $case: 'accepted' });
      expect(stream.all('message')).toEqual([]);
      expect(refusal(await stream.ask(commands.unsubscribe(group.id)))).toMatchObject({ reason: 'NOT_SUBSCRIBED' });
    });

    test('a refused command has the same error as a unary call, and the stream stays open', async () => {
      const [alice, eve] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'eve')]);
      const [group, room] = [await newGroup(alice), await newRoom(alice)];
      const stream = await eve.connect();
      const refused = async (command: Parameters<typeof stream.ask>[0]) => refusal(await stream.ask(command));

      expect(await refused(commands.subscribe(group.id))).toMatchObject({
        code: 'NOT_FOUND',
        reason: 'CHAT_NOT_FOUND',
      });
      expect(await refused(commands.subscribe(room.id, 0))).toMatchObject({ reason: 'NOT_A_MEMBER' });
      expect(await refused(commands.send(group.id, 'x'))).toMatchObject({ reason: 'CHAT_NOT_FOUND' });
      expect(await refused(commands.send('x', '', ''))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        violations: expect.arrayContaining([
          expect.objectContaining({ field: 'send_message.chat_id' }),
          expect.objectContaining({ field: 'send_message.text' }),
        ]),
      });
      expect(await refused(commands.subscribe(room.id, -1))).toMatchObject({
        violations: [{ field: 'subscribe.after_seq' }],
      });
      expect(await refused(commands.subscribeAll({ nonsense: 1 }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await refused(undefined)).toMatchObject({ code: 'INVALID_ARGUMENT', violations: [{ field: 'command' }] });
      expect(await refused(commands.authenticate('x.y.z'))).toMatchObject({ reason: 'TOKEN_INVALID' });
      expect(await refused(commands.authenticate(alice.token))).toMatchObject({ reason: 'OTHER_USERS_TOKEN' });
      expect(await stream.ask(commands.authenticate(eve.token))).toMatchObject({ $case: 'accepted' });
      expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
    });

    test('a direct chat that another user creates appears on a stream with subscribe_all', async () => {
      const [alice, bob] = await Promise.all([signIn(open(), 'alice'), signIn(open(), 'bob')]);
      const stream = await bob.connect();
      await stream.ask(commands.subscribeAll());

      const { chat } = await alice.chat.createChat({ type: ChatType.DIRECT, memberIds: [bob.id] });
      await say(alice, chat!, 'hello bob');

      expect((await stream.nextOf('chatAdded')).chat).toMatchObject({ id: chat!.id, peer: { id: alice.id } });
      await stream.until(() => stream.messages(chat!.id).length === 2);
      expect(stream.messages(chat!.id).map(({ seq, text }) => [seq, text])).toEqual([
        [1, ''],
        [2, 'hello bob'],
      ]);
    });
  });
}
