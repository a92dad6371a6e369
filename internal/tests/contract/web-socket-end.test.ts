import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { newGroup, say, signIn, uniqueName } from '../../testing/clients/person.ts';
import { SocketClient } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ KEEPALIVE_MS: '1000' });
});
afterAll(() => service.stop());

const closing = (reason: CloseReason) => ({ $case: 'closing', value: { reason, retryAfterMs: 0 } });

async function shortLived(userId: string): Promise<string> {
  return (await issueToken(service.dsn, { userId }, { ttlMs: 2_000 })).token;
}

describe.for(['chat.v1.json', 'chat.v1.proto'])(
  'with %s, a socket gets the event closing and is closed',
  (protocol) => {
    const connect = (token: string, url = service.url) => SocketClient.connect(url, { token, protocols: [protocol] });

    test('when its session is logged out', async () => {
      const [username, password] = [uniqueName('user'), randomUUID()];
      const account = await service.transport().auth.register({ username, password, name: '' }, {});
      const client = await connect(account.accessToken);
      await service.transport().auth.logout({}, { token: account.accessToken });
      expect(await client.closed).toEqual({ code: 4401, reason: 'SESSION_REVOKED' });
      expect(client.events.at(-1)).toEqual(closing(CloseReason.SESSION_REVOKED));
    });

    test('when its user is banned', async () => {
      const alice = await signIn(service.transport(), 'alice');
      const client = await connect(alice.token);
      const { token } = await issueToken(service.dsn, { userId: 'root', roles: ['admin'] });
      await service.transport().chat.banUser({ userId: alice.id }, { token });
      expect(await client.closed).toEqual({ code: 4403, reason: 'BANNED' });
      expect(client.events.at(-1)).toEqual(closing(CloseReason.BANNED));
    });

    test('when its token expires', async () => {
      const alice = await signIn(service.transport(), 'alice');
      const client = await connect(await shortLived(alice.id));
      const { tokenExpiresAt } = await client.nextOf('welcome');
      expect(await client.closed).toEqual({ code: 4401, reason: 'TOKEN_EXPIRED' });
      expect(Date.now()).toBeGreaterThanOrEqual(tokenExpiresAt!.getTime());
      expect(client.events.at(-1)).toEqual(closing(CloseReason.TOKEN_EXPIRED));
    });

    test('but not if it was given a new token in time', async () => {
      const alice = await signIn(service.transport(), 'alice');
      const client = await connect(await shortLived(alice.id));
      const { tokenExpiresAt } = await client.nextOf('welcome');
      const answer = await client.ask(commands.authenticate(alice.token));
      expect(answer.$case).toBe('accepted');
      await eventually(() => expect(Date.now()).toBeGreaterThan(tokenExpiresAt!.getTime() + 500));
      expect(await client.ask(commands.ping())).toMatchObject({ $case: 'pong' });
    });

    test('when the service is stopped', async () => {
      const child = await ChildService.start({ POSTGRES_DSN: await createTestDatabase(), RECONNECT_SPREAD_MS: '2000' });
      const transport = grpcTransport(child.address);
      onTestFinished(() => transport.close());
      const alice = await signIn(transport, 'alice');
      const group = await newGroup(alice);
      const clients = await Promise.all(Array.from({ length: 5 }, () => connect(alice.token, child.url)));
      const silent = await new SocketClient(child.url).opened();
      for (const client of clients) for (let i = 0; i < 50; i += 1) client.send(commands.send(group.id, `${i}`));
      await clients[0]!.nextOf('accepted');

      child.signal('SIGTERM');

      const waits = new Set<number>();
      for (const client of clients) {
        expect(await client.closed).toEqual({ code: 1012, reason: 'DRAINING' });
        const last = client.events.at(-1)!;
        expect(last).toMatchObject({ $case: 'closing', value: { reason: CloseReason.DRAINING } });
        if (last.$case === 'closing') waits.add(last.value.retryAfterMs);
      }
      expect(waits.size).toBeGreaterThan(2);
      expect(Math.max(...waits)).toBeLessThanOrEqual(2_000);
      // This client has not authenticated yet.
      expect(await silent.closed).toEqual({ code: 1012, reason: 'DRAINING' });
      expect(await child.exited).toEqual({ code: 0, signal: null });
    });
  },
);

describe('a client', () => {
  test('that does not answer pings is disconnected and goes offline', async () => {
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => signIn(service.transport(), name)));
    const group = await newGroup(alice!, bob!);
    const client = await SocketClient.connect(service.url, {
      token: alice!.token,
      autoPong: false,
    });
    expect((await client.closed).code).toBe(1006);
    await eventually(async () =>
      expect((await bob!.chat.listOnlineUsers({ chatId: group.id })).users.map(({ id }) => id)).not.toContain(
        alice!.id,
      ),
    );
  });

  test('that answers pings, or sends commands instead, stays connected', async () => {
    const alice = await signIn(service.transport(), 'alice');
    const { token } = alice;
    const quiet = await SocketClient.connect(service.url, { token });
    const talking = await SocketClient.connect(service.url, { token, autoPong: false });
    let pings = 0;
    quiet.socket.on('ping', () => {
      pings += 1;
    });
    talking.socket.on('ping', () => talking.send(commands.ping()));
    await eventually(() => expect(pings).toBeGreaterThanOrEqual(4));
    for (const client of [quiet, talking]) expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('that pings gets a pong with the same content', async () => {
    const alice = await signIn(service.transport(), 'alice');
    const client = await SocketClient.connect(service.url, { token: alice.token });
    const pong = new Promise<Buffer>((resolve) => client.socket.once('pong', resolve));
    client.socket.ping('are you there?');
    expect((await pong).toString()).toBe('are you there?');
  });

  test('that sends faster than its rate limit is slowed down, not disconnected', async () => {
    const slow = await startTestService({ KEEPALIVE_MS: '1000', RATE_LIMIT_CALLS: '20' });
    onTestFinished(() => slow.stop());
    const alice = await signIn(slow.transport(), 'alice');
    const client = await SocketClient.connect(slow.url, { token: alice.token });
    // The client's pongs are queued behind its commands, which the service does not read meanwhile.
    const ids = Array.from({ length: 140 }, () => client.send(commands.ping())[0]);
    const answered = () =>
      client.events.flatMap(({ value }) => ('commandId' in value ? [(value as { commandId: string }).commandId] : []));
    await client.until(() => answered().length === ids.length);
    expect(answered()).toEqual(ids);
  });

  test('that closes its socket gets a close frame and goes offline', async () => {
    const alice = await signIn(service.transport(), 'alice');
    const client = await SocketClient.connect(service.url, { token: alice.token });
    client.socket.close(1000, 'bye');
    expect((await client.closed).code).toBe(1000);
    await eventually(async () => {
      const { users } = await alice.chat.listOnlineUsers({});
      expect(users.map(({ id }) => id)).not.toContain(alice.id);
    });
  });
});

test('a thousand sockets that open and close leave no sessions behind', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const bob = await signIn(service.transport(), 'bob');
  const { token } = alice;
  const group = await newGroup(bob, alice);
  await eventually(() => expect(service.app.sessions.size).toBe(0));
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const socket = new WebSocket(`${service.url.replace('http', 'ws')}/v1/connect`, ['chat.v1.proto'], {
          headers: { authorization: `Bearer ${token}` },
        });
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.on('error', () => {});
        // Some end during the handshake, some right after it, some with a close frame, some after the first event.
        if (i % 4 === 0) setImmediate(() => socket.terminate());
        socket.once('open', () => (i % 4 === 1 ? socket.terminate() : i % 4 === 2 && socket.close()));
        socket.once('message', () => i % 4 === 3 && socket.terminate());
        await closed;
      }),
    );
  }
  await eventually(() => expect(service.app.sessions.size).toBe(0));
  expect(service.app.sessions.queuedBytes).toBe(0);
  const { users } = await bob.chat.listOnlineUsers({});
  expect(users.map(({ id }) => id)).not.toContain(alice.id);
  await say(bob, group, 'nobody hears');
});
