import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Command } from '../../../pkg/api/chat/v1/chat.ts';
import { ChatClient, guest, type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** A client of a user with this name, and the commands that it sends. */
async function newClient(name: string, deliveredMarks?: boolean) {
  const real = webSocketTransport(service.url);
  const commands: NonNullable<Command['command']>[] = [];
  const transport: Transport = {
    ...real,
    connect(token, signal) {
      const stream = real.connect(token, signal);
      return {
        frames: stream.frames,
        send(command) {
          if (command.command) commands.push(command.command);
          stream.send(command);
        },
      };
    },
  };
  const client = new ChatClient({
    transport,
    token: guest(name),
    ...(deliveredMarks !== undefined && { deliveredMarks }),
  });
  onTestFinished(() => client.close());
  const caughtUp: string[] = [];
  client.on('caughtUp', ({ chatId }) => caughtUp.push(chatId));
  return { client, user: await client.connect(), commands, caughtUp };
}

async function inOneRoom(deliveredMarks?: boolean) {
  const [alice, bob] = await Promise.all([
    newClient(uniqueName('alice')),
    newClient(uniqueName('bob'), deliveredMarks),
  ]);
  const { id, name } = await alice.client.joinRoom(uniqueName('room'));
  await bob.client.joinRoom(name);
  // Only live readers receive ephemeral events.
  await eventually(() => expect([...alice.caughtUp, ...bob.caughtUp]).toEqual([id, id]));
  return { alice, bob, chatId: id };
}

const marksOf = (commands: readonly NonNullable<Command['command']>[]) =>
  commands.flatMap((command) => (command.$case === 'markDelivered' ? [command.value] : []));

test('a client tells that it has received messages, by one mark for many', async () => {
  const { alice, bob, chatId } = await inOneRoom();
  const delivered: unknown[] = [];
  alice.client.on('delivered', (event) => delivered.push(event));
  const seqs: number[] = [];
  let lastId = '';
  for (let i = 0; i < 20; i += 1) {
    const { seq, messageId } = await alice.client.send(chatId, `${i}`);
    seqs.push(seq);
    lastId = messageId;
  }
  const last = seqs.at(-1)!;
  await eventually(() => expect(delivered).toContainEqual({ chatId, userId: bob.user.id, seq: last }));
  expect(marksOf(bob.commands).length).toBeLessThan(seqs.length / 2);
  expect(marksOf(alice.commands).some(({ seq }) => seq >= seqs[0]!)).toBe(false);
  expect(await alice.client.receipts(chatId, lastId)).toEqual([{ user: bob.user, read: false }]);
  await bob.client.markRead(chatId, last);
  expect(await alice.client.chat(chatId).receipts(lastId)).toEqual([{ user: bob.user, read: true }]);
});

test('a client that reads what it receives, or is told not to, sends no delivered marks', async () => {
  const [one, other] = [await inOneRoom(), await inOneRoom(false)];
  const { alice, bob, chatId } = one;
  bob.client.on('message', ({ seq }) => void bob.client.markRead(chatId, seq));
  const { seq } = await alice.client.send(chatId, 'read at once');
  await other.alice.client.send(other.chatId, 'not told');
  await eventually(async () => expect((await bob.client.call('getChat', { chatId })).chat?.readSeq).toBe(seq));
  // A mark that would have been sent is sent before this one.
  const third = await newClient(uniqueName('carol'));
  await third.client.joinRoom((await bob.client.call('getChat', { chatId })).chat!.name);
  const { seq: later } = await bob.client.send(chatId, 'for carol');
  await eventually(() => expect(marksOf(third.commands)).toContainEqual({ chatId, seq: later }));
  expect(marksOf(bob.commands).filter(({ seq: marked }) => marked >= seq && marked < later)).toEqual([]);
  expect(marksOf(other.bob.commands)).toEqual([]);
});

test('markUnread moves the mark back, and a client that has not heard of it does not undo it', async () => {
  const { alice, bob, chatId } = await inOneRoom();
  const read: unknown[] = [];
  alice.client.on('read', (event) => read.push(event));
  const { seq } = await alice.client.send(chatId, 'one');
  await bob.client.markRead(chatId, seq);
  const back = await bob.client.markUnread(chatId, seq);
  expect(back).toEqual({ readSeq: seq - 1, unreadCount: 1, readGeneration: 1, mentionCount: 0 });
  await eventually(() => expect(read).toContainEqual({ chatId, userId: bob.user.id, seq: seq - 1, generation: 1 }));
  // As another device would that knows only the mark before.
  expect(await bob.client.call('markRead', { chatId, seq, ifGeneration: 0 })).toEqual(back);
  expect(await bob.client.markRead(chatId, seq)).toEqual({
    readSeq: seq,
    unreadCount: 0,
    readGeneration: 1,
    mentionCount: 0,
  });
});

test('mute sets until when a chat is muted, and lifts it again', async () => {
  const { alice, chatId } = await inOneRoom();
  const until = new Date(Date.now() + 3_600_000);
  const mutedUntil = async () => (await alice.client.chats()).find(({ id }) => id === chatId)?.mutedUntil;
  await alice.client.mute(chatId, until);
  expect(await mutedUntil()).toEqual(until);
  await alice.client.chat(chatId).mute();
  expect(await mutedUntil()).toBeUndefined();
});
