import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ConnectChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { newRoom, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { FlakyLink } from '../../testing/faults/flaky-link.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ OUTBOX_BYTES: '16384' });
});
afterAll(() => service.stop());

async function newLink(): Promise<FlakyLink> {
  const link = await FlakyLink.to(service.address);
  onTestFinished(() => link.close());
  return link;
}

test('a client whose connection dies goes offline, and the messages it was sending are stored whole or not at all', async () => {
  const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
  const room = await newRoom(bob, alice);
  const listener = await bob.connect();
  await listener.ask(commands.subscribe(room.id));
  const link = await newLink();
  const dying = new RawClient(link.address).connect(alice.token);
  const online = async () => (await bob.chat.listOnlineUsers({ chatId: room.id })).users.map(({ id }) => id);
  await eventually(async () => expect(await online()).toEqual([alice.id, bob.id].sort()));

  const texts = Array.from({ length: 2_000 }, (_, i) => `${i} ${'x'.repeat(i % 500)}`);
  for (let i = 0; i < texts.length; i += 50) {
    const frame = texts.slice(i, i + 50).map((text, j) => ({
      commandId: `${i + j}`,
      command: commands.send(room.id, text, `m${i + j}`),
    }));
    dying.write(ConnectChatRequest.encode({ commands: frame }).finish());
  }
  await listener.until(() => listener.messages(room.id).length > 100);
  link.cut();

  await eventually(async () => expect(await online()).toEqual([bob.id]));
  expect(service.app.sessions.size).toBe(1);
  const { seq: last } = await bob.chat.sendMessage({ chatId: room.id, clientMessageId: 'end', text: 'end' });
  await listener.until(() => listener.messages(room.id).at(-1)?.seq === last);
  const stored = listener.messages(room.id).slice(0, -1);
  expect(stored.length).toBeLessThan(texts.length);
  expect(stored.map(({ text }) => text)).toEqual(texts.slice(0, stored.length));
  expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 3));

  // Whether or not they were stored, sending them again results in one message each.
  const again = await alice.connect();
  for (const [i, text] of texts.entries()) again.send(commands.send(room.id, text, `m${i}`));
  await again.until(() => again.all('accepted').length === texts.length);
  expect((await bob.chat.getChat({ chatId: room.id })).chat?.lastSeq).toBe(2 + texts.length + 1);
});

test('connections that die in any state leave nothing behind', async () => {
  const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
  const room = await newRoom(bob, alice);
  const before = service.app.sessions.size;
  const link = await newLink();
  const connect = () => new RawClient(link.address).connect(alice.token);
  const write = (call: ReturnType<typeof connect>, ...bodies: ReturnType<(typeof commands)['ping']>[]) =>
    call.write(ConnectChatRequest.encode({ commands: bodies.map((command) => ({ commandId: '', command })) }).finish());

  const silent = connect();
  const reading = connect();
  write(reading, commands.subscribe(room.id, 0));
  const stalled = connect()
    .on('data', () => {})
    .pause();
  write(stalled, commands.subscribe(room.id, 0));
  const broken = connect();
  broken.write(Buffer.from('nonsense'));
  const halfClosed = connect();
  write(halfClosed, commands.subscribeAll());
  await eventually(() => expect(service.app.sessions.size).toBeGreaterThanOrEqual(before + 4));
  while (service.app.sessions.queuedBytes === 0) {
    await Promise.all(Array.from({ length: 20 }, () => say(bob, room, 'x'.repeat(4_000))));
  }
  halfClosed.end();
  silent.cancel();
  link.cut();

  await eventually(() => expect(service.app.sessions.size).toBe(before));
  expect(service.app.sessions.queuedBytes).toBe(0);
});
