import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { newGroup, newRoom, type Person, personOf, say, signIn } from '../../testing/clients/person.ts';
import { SocketClient, type SocketClientOptions } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

// Slow: the buffers of a connection hold tens of megabytes before a reader is slow.
const outboxBytes = 65_536;
const text = 'x'.repeat(16_000);
/** A text that compression hardly shortens. */
const dense = randomBytes(12_000).toString('base64');

async function start(env: Record<string, string> = {}): Promise<TestService> {
  const service = await startTestService({
    OUTBOX_BYTES: String(outboxBytes),
    MAX_TEXT_LENGTH: '16000',
    DRAIN_TIMEOUT_MS: '600000',
    ...env,
  });
  onTestFinished(() => service.stop());
  return service;
}

async function reading(service: TestService, token: string, chatId: string, options: SocketClientOptions = {}) {
  const client = await SocketClient.connect(service.url, { token, ...options });
  client.send(commands.subscribe(chatId, 0));
  await client.nextOf('caughtUp');
  return client;
}

async function write(writer: Person, chat: { id: string }, count: number, text: string): Promise<void> {
  for (let sent = 0; sent < count; sent += 100) {
    await Promise.all(Array.from({ length: 100 }, () => say(writer, chat, text)));
  }
}

test.each<[string, SocketClientOptions, string]>([
  ['bytes', { protocols: ['chat.v1.proto'] }, text],
  ['text', {}, text],
  ['compressed text', { perMessageDeflate: true }, dense],
])(
  'a reader of %s that stops reading costs bounded memory, delays no other reader, and gets everything in order when it continues',
  async (_, options, text) => {
    const service = await start({ WEBSOCKET_COMPRESSION: 'true' });
    const writer = await signIn(service.transport(), 'writer');
    const room = await newRoom(writer);
    const stalled = await reading(service, writer.token, room.id, options);
    const live = await reading(service, writer.token, room.id, options);
    const seen = stalled.seqs.length;
    stalled.socket.pause();

    let most = 0;
    const total = 1_600; // 26 MB: more than the connection's buffers take
    for (let sent = 0; sent < total; sent += 100) {
      await write(writer, room, 100, text);
      most = Math.max(most, service.app.sessions.queuedBytes);
    }

    await live.until(() => live.seqs.length === 1 + total);
    expect(stalled.seqs).toHaveLength(seen);
    // Unread events wait in the session's queue, which is bounded, and not in the socket's buffer, which is not.
    expect(service.app.sessions.queuedBytes).toBeGreaterThan(0);
    // For each of the two readers, at most one batch or page beyond the limit.
    expect(most).toBeLessThan(2 * (outboxBytes + 100 * 16_400));
    stalled.socket.resume();
    await stalled.until(() => stalled.seqs.length === 1 + total);
    const inOrder = Array.from({ length: 1 + total }, (_, i) => i + 1);
    expect(stalled.seqs).toEqual(inOrder);
    expect(live.seqs).toEqual(inOrder);
  },
);

async function stuckReader(service: TestService) {
  const writer = await signIn(service.transport(), 'writer');
  const eve = await signIn(service.transport(), 'eve');
  const group = await newGroup(writer, eve);
  const client = await reading(service, eve.token, group.id);
  client.socket.pause();
  for (let held = 0; held < 3; held = service.app.sessions.queuedBytes > 0 ? held + 1 : 0) {
    await write(writer, group, 100, text);
  }
  const isOnline = async () =>
    (await writer.chat.listOnlineUsers({ chatId: group.id })).users.some(({ id }) => id === eve.id);
  return { writer, eve, client, isOnline };
}

test('a banned reader that does not read is disconnected', async () => {
  const service = await start();
  const { eve, client, isOnline } = await stuckReader(service);
  expect(await isOnline()).toBe(true);
  const { token } = await issueToken(service.dsn, { userId: 'root', roles: ['admin'] });

  await personOf(service.transport(), { id: 'root', name: '', token }).chat.banUser({ userId: eve.id });

  expect(service.app.sessions.queuedBytes).toBeLessThan(1_000);
  await eventually(async () => expect(await isOnline()).toBe(false));
  expect(service.app.sessions.size).toBe(0);
  client.socket.resume();
  expect((await client.closed).code).toBe(1006);
});

test('a reader that does not read does not delay the stop of the service until DRAIN_TIMEOUT_MS', async () => {
  const service = await start();
  const { client } = await stuckReader(service);
  await service.app.stop();
  client.socket.resume();
  expect((await client.closed).code).toBe(1006);
});
