import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import {
  ChatClient,
  type ChatClientEvents,
  type ConnectionState,
  guest,
  newId,
  type Outbox,
  type Transport,
  webSocketTransport,
} from '../../../pkg/chat-client/index.ts';
import { idOf } from '../../../pkg/chat-client/sending/durable-command.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

/** Limits with which a frame has room for 28 cursors, or for a text of 256 characters of one byte each. */
const tight = { MAX_TEXT_LENGTH: '256', MAX_FRAME_BYTES: '2048' };

let service: TestService;
beforeAll(async () => {
  service = await startTestService(tight);
});
afterAll(() => service.stop());

const ways: Record<string, () => Transport> = {
  gRPC: () => grpcTransport(service.address),
  WebSocket: () => webSocketTransport(service.url),
  'WebSocket with JSON': () => webSocketTransport(service.url, { encoding: 'json' }),
};

function memoryOutbox(): Outbox & { messages: ReturnType<Outbox['load']> } {
  const messages: ReturnType<Outbox['load']> = [];
  return {
    messages,
    load: () => [...messages],
    put: (message) => void messages.push(message),
    remove(message) {
      const place = messages.findIndex((one) => idOf(one) === idOf(message));
      if (place >= 0) messages.splice(place, 1);
    },
  };
}

function newClient(transport: Transport, outbox?: Outbox, name = uniqueName('user')) {
  const client = new ChatClient({ transport, token: guest(name), outbox });
  onTestFinished(() => client.close());
  const states: ConnectionState[] = [];
  client.on('state', (state) => states.push(state));
  const refused: ChatClientEvents['refused'][] = [];
  client.on('refused', (message) => refused.push(message));
  return { client, states, refused };
}

const tooLong = { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', violations: [{ field: 'text' }] };

test.for(Object.keys(ways))(
  'over %s, a text that fits into no frame is refused and does not delay others',
  async (way) => {
    const outbox = memoryOutbox();
    const { client, states, refused } = newClient(ways[way]!(), outbox);
    await client.connect();
    const { id } = await client.joinRoom(uniqueName('room'));
    const sending = client.send(id, 'x'.repeat(3_000), { clientMessageId: 'too-long' });
    const later = client.send(id, 'later');
    await expect(sending).rejects.toMatchObject(tooLong);
    expect((await later).seq).toBe(2);
    expect(refused).toMatchObject([{ clientMessageId: 'too-long', error: tooLong }]);
    expect(outbox.messages).toEqual([]);
    expect(client.pendingSends).toBe(0);
    expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'online']);
  },
);

test('a too long text that was sent before the client connected is refused once it has connected', async () => {
  const outbox = memoryOutbox();
  outbox.put({ chatId: newId(), text: 'x'.repeat(3_000), clientMessageId: 'restored' });
  const { client, states, refused } = newClient(webSocketTransport(service.url), outbox);
  const sending = client.send(newId(), 'y'.repeat(3_000), { clientMessageId: 'early' });
  await Promise.all([client.connect(), expect(sending).rejects.toMatchObject(tooLong)]);
  expect(refused.map(({ clientMessageId }) => clientMessageId)).toEqual(['restored', 'early']);
  expect(outbox.messages).toEqual([]);
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'online']);
});

test('a text whose characters take several bytes is refused only if it does not fit into a frame', async () => {
  const { client, states } = newClient(webSocketTransport(service.url, { encoding: 'json' }));
  await client.connect();
  const { id } = await client.joinRoom(uniqueName('room'));
  expect((await client.send(id, '\u{1f600}'.repeat(256))).seq).toBe(2);
  await expect(client.send(id, '\u{1f600}'.repeat(257))).rejects.toMatchObject(tooLong);
  expect((await client.send(id, '\u0007'.repeat(256))).seq).toBe(3);
  await expect(client.send(id, 'x', { clientMessageId: 'i'.repeat(3_000) })).rejects.toMatchObject({
    reason: 'INVALID_FIELDS',
  });
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'online']);
});

test('the pauses between streams that end soon after their start grow', async () => {
  const real = webSocketTransport(service.url);
  const transport: Transport = {
    ...real,
    connect(token, signal) {
      const stream = real.connect(token, signal);
      async function* frames() {
        for await (const events of stream.frames) {
          yield events;
          // Too big for a frame, so the service ends the stream.
          stream.send({ commandId: 'x'.repeat(3_000), command: { $case: 'ping', value: {} } });
        }
      }
      return { send: (command) => stream.send(command), frames: frames() };
    },
  };
  const { client, states } = newClient(transport);
  client.connect().catch(() => {});
  await eventually(() => {
    const waits = states.flatMap((state) => (state.kind === 'offline' ? [state.retryInMs] : []));
    expect(Math.max(0, ...waits)).toBeGreaterThan(1_000);
  });
});

test('a client with more chats than fit into a frame resumes each of them, and gets nothing twice', async () => {
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const user = uniqueName('user');
  const { client, states } = newClient(webSocketTransport(proxy.dsn, { encoding: 'json' }), undefined, user);
  const heard: string[] = [];
  const removed: string[] = [];
  client.on('chatRemoved', ({ chatId }) => removed.push(chatId));
  client.on('message', ({ system, chatId, text }) => void (system ?? heard.push(`${chatId} ${text}`)));
  await client.connect();
  const writer = await service.client(uniqueName('writer'));
  const ids: string[] = [];
  for (let i = 0; i < 60; i += 1) {
    const { id, name } = await client.joinRoom(uniqueName('room'));
    await writer.joinRoom(name);
    ids.push(id);
  }
  const expected: string[] = [];
  const writeAll = async (text: string) => {
    expected.push(...ids.map((id) => `${id} ${text}`));
    await Promise.all(ids.map((id) => writer.send(id, text)));
  };
  await writeAll('before');
  await eventually(() => expect(heard.toSorted()).toEqual(expected.toSorted()));
  proxy.cut();
  await eventually(() => expect(client.state.kind).toBe('offline'));
  const gone = ids.pop()!;
  await service.transport().chat.leaveChat({ chatId: gone }, { token: await service.token(user) });
  await writeAll('meanwhile');
  proxy.restore();
  await eventually(() => expect(client.state.kind).toBe('online'));
  await writeAll('after');
  await eventually(() => expect(heard.toSorted()).toEqual(expected.toSorted()));
  for (const id of ids) {
    const own = heard.filter((line) => line.startsWith(id));
    expect(own).toEqual(['before', 'meanwhile', 'after'].map((text) => `${id} ${text}`));
  }
  expect(removed).toEqual([gone]);
  expect(states.at(-1)?.kind).toBe('online');
});
