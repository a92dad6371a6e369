import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import {
  ChatClient,
  type ChatClientError,
  guest,
  type Message,
  type WebSocketConstructor,
  type WebSocketTransportOptions,
  webSocketTransport,
} from '../../../pkg/chat-client/index.ts';
import { protoCodec } from '../../../pkg/chat-client/transports/frame-codec.ts';
import { WebSocketStream } from '../../../pkg/chat-client/transports/web-socket-stream.ts';
import { newGroup, personOf, signIn, uniqueName } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ MAX_COMMANDS_PER_FRAME: '3' });
});
afterAll(() => service.stop());

function open(options: WebSocketTransportOptions = {}, url = service.url) {
  const transport = webSocketTransport(url, options);
  onTestFinished(() => transport.close());
  return transport;
}

describe.for(['proto', 'json'] as const)('over WebSocket with frames of %s', (encoding) => {
  test('a client whose network is cut reconnects, gets what it missed once and in order, and loses no send', async () => {
    const proxy = await startTcpProxy(service.url);
    const client = new ChatClient({
      transport: webSocketTransport(proxy.dsn, { encoding }),
      token: guest(uniqueName('shaky')),
    });
    onTestFinished(async () => {
      await client.close();
      await proxy.close();
    });
    const other = await service.client(uniqueName('steady'));
    const heard: Message[] = [];
    client.on('message', (message) => heard.push(message));
    await client.connect();
    const room = await client.joinRoom(uniqueName('room'));
    await other.joinRoom(room.name);

    const receipts = [];
    for (let round = 0; round < 5; round += 1) {
      proxy.cut();
      for (let i = 0; i < 10; i += 1) {
        receipts.push(client.send(room.id, `mine ${round} ${i}`));
        await other.send(room.id, `theirs ${round} ${i}`);
      }
      proxy.restore();
      await Promise.all(receipts);
    }

    const total = 2 + 100;
    await eventually(() => expect(heard.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, i) => i + 1)));
    const mine = heard.filter(({ text }) => text.startsWith('mine')).map(({ seq }) => seq);
    expect((await Promise.all(receipts)).map(({ seq }) => seq).sort((one, next) => one - next)).toEqual(mine);
  });

  test('a stream whose token expires ends with the reason', async () => {
    const alice = await signIn(service.transport(), 'alice');
    const { token } = await issueToken(service.dsn, { userId: alice.id }, { ttlMs: -1_000 });
    const stream = personOf(open({ encoding }), { ...alice, token }).open();
    expect(await stream.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED', temporary: false });
  });

  test('a token with characters that a header cannot hold is refused like any invalid token', async () => {
    const alice = await signIn(service.transport(), 'alice');
    const stream = personOf(open({ encoding }), { ...alice, token: 'no token, "really"' }).open();
    expect(await stream.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
  });

  test('a stream of a banned user ends with the reason', async () => {
    const alice = await signIn(service.transport(), 'alice');
    const stream = await personOf(open({ encoding }), alice).connect();
    const { token } = await issueToken(service.dsn, { userId: uniqueName('root'), roles: ['admin'] });
    await service.transport().chat.banUser({ userId: alice.id }, { token });
    expect(await stream.ended).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'BANNED' });
    expect(stream.events.at(-1)).toMatchObject({ $case: 'closing', value: { reason: CloseReason.BANNED } });
  });

  test('many commands at once are sent in frames that the service accepts', async () => {
    const alice = await signIn(open({ encoding }), 'alice');
    const group = await newGroup(alice);
    const stream = await alice.connect();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => stream.ask(commands.send(group.id, `${i}`))),
    );
    expect(answers.map(({ $case }) => $case)).toEqual(answers.map(() => 'accepted'));
  });

  test('a cancelled stream ends at once', async () => {
    const alice = await signIn(open({ encoding }), 'alice');
    const online = async () => (await alice.chat.listOnlineUsers({})).users.map(({ id }) => id);
    const stream = await alice.connect();
    await eventually(async () => expect(await online()).toContain(alice.id));
    stream.close();
    expect(await stream.ended).toMatchObject({ code: 'CANCELLED' });
    await eventually(async () => expect(await online()).not.toContain(alice.id));
  });
});

test('a service that is stopped ends streams with DRAINING', async () => {
  const stopping = await startTestService();
  const alice = await signIn(stopping.transport(), 'alice');
  const stream = await personOf(open({}, stopping.url), alice).connect();
  await stopping.stop();
  expect(await stream.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  expect(stream.events.at(-1)).toMatchObject({ $case: 'closing', value: { reason: CloseReason.DRAINING } });
});

test('streams and calls to an unreachable service are UNAVAILABLE', async () => {
  const proxy = await startTcpProxy(service.url);
  await proxy.close();
  const transport = open({}, proxy.dsn);
  await expect(transport.auth.guest({ name: 'alice' }, {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const frames = transport.connect('token', new AbortController().signal).frames[Symbol.asyncIterator]();
  const ended = await frames.next().catch((error: ChatClientError) => error);
  expect(ended).toMatchObject({ code: 'UNAVAILABLE', reason: '', temporary: true });
});

test('a connection to a service that does not answer is closed after a time', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { frames } = new WebSocketStream({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    codec: protoCodec,
    webSocket: WebSocket as unknown as WebSocketConstructor,
    token: 'token',
    signal: new AbortController().signal,
    openTimeoutMs: 50,
  });
  const ended = await frames[Symbol.asyncIterator]()
    .next()
    .catch((error: ChatClientError) => error);
  expect(ended).toMatchObject({ code: 'UNAVAILABLE', temporary: true });
});

test('commands wait while the socket has too many unsent bytes', async () => {
  let stuck = false;
  let sent = 0;
  class StuckWebSocket extends WebSocket {
    override get bufferedAmount(): number {
      return stuck ? 2 ** 21 : super.bufferedAmount;
    }
    override send(data: string | Uint8Array<ArrayBuffer>): void {
      sent += 1;
      super.send(data);
    }
  }
  const alice = await signIn(open({ webSocket: StuckWebSocket as unknown as WebSocketConstructor }), 'alice');
  const group = await newGroup(alice);
  const stream = await alice.connect();
  stuck = true;
  const answer = stream.ask(commands.send(group.id, 'patience'));
  // After an answer on another stream, the command would have been sent if it did not wait.
  await (await personOf(open(), alice).connect()).ask(commands.ping());
  expect(sent).toBe(0);
  stuck = false;
  expect(await answer).toMatchObject({ $case: 'accepted' });
});

test.for(['.', '..', ''])('a call with %j as a part of its path is refused locally', async (userId) => {
  const alice = await signIn(open(), 'alice');
  const group = await newGroup(alice);
  await expect(alice.chat.removeMember({ chatId: group.id, userId })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'INVALID_FIELDS',
    violations: [{ field: 'user_id' }],
  });
  expect(await alice.chat.getChat({ chatId: group.id })).toMatchObject({ chat: { id: group.id } });
});

test('the URL of a service may have a path and a final slash', async () => {
  const asked: string[] = [];
  const noted: WebSocketTransportOptions = {
    fetch: async (url) => {
      asked.push(url);
      return new Response('{}');
    },
    webSocket: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        asked.push(url);
        super(`${service.url}/v1/connect`, protocols);
      }
    } as unknown as WebSocketConstructor,
  };
  for (const url of ['https://chat.example/below/', 'https://chat.example/below?page#part']) {
    const transport = open(noted, url);
    await transport.auth.getMe({}, {});
    transport.connect('token', AbortSignal.abort());
    const abort = new AbortController();
    transport.connect('token', abort.signal);
    abort.abort();
  }
  expect(asked).toEqual([
    'https://chat.example/below/v1/auth/me',
    'wss://chat.example/below/v1/connect',
    'https://chat.example/below/v1/auth/me',
    'wss://chat.example/below/v1/connect',
  ]);
  expect(() => webSocketTransport('/below')).toThrow(TypeError);
});

test('the answer of a proxy becomes an error according to its status', async () => {
  const proxied = open({ fetch: async () => new Response('<h1>Bad gateway</h1>', { status: 502 }) });
  await expect(proxied.auth.guest({ name: 'alice' }, {})).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: '' });
});
