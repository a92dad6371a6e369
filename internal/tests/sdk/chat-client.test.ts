import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Command } from '../../../pkg/api/chat/v1/chat.ts';
import {
  ChatClient,
  ChatClientError,
  type ChatClientEvents,
  type ConnectionState,
  guest,
  type Transport,
  webSocketTransport,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Creates a client, and records the commands and read marks that it sends. */
async function newClient({ url = service.url, silenceMs }: { url?: string; silenceMs?: number } = {}) {
  const real = webSocketTransport(url);
  const commands: Command[] = [];
  const marks: number[] = [];
  const transport: Transport = {
    ...real,
    chat: {
      ...real.chat,
      markRead(request, options) {
        marks.push(request.seq ?? 0);
        return real.chat.markRead(request, options);
      },
    },
    connect(token, signal) {
      const stream = real.connect(token, signal);
      return {
        frames: stream.frames,
        send(command) {
          commands.push(command);
          stream.send(command);
        },
      };
    },
  };
  const client = new ChatClient({ transport, token: guest(uniqueName('user')), silenceMs });
  onTestFinished(() => client.close());
  const states: ConnectionState[] = [];
  client.on('state', (state) => states.push(state));
  const user = await client.connect();
  return { client, user, commands, marks, states };
}

function heard<Name extends keyof ChatClientEvents>(client: ChatClient, name: Name): ChatClientEvents[Name][] {
  const events: ChatClientEvents[Name][] = [];
  client.on(name, (event) => events.push(event));
  return events;
}

async function inOneRoom() {
  const [alice, bob] = await Promise.all([newClient(), newClient()]);
  const { id, name } = await alice.client.joinRoom(uniqueName('room'));
  await bob.client.joinRoom(name);
  return { alice, bob, chatId: id };
}

test('many calls of typing send few commands, and others get the event', async () => {
  const { alice, bob, chatId } = await inOneRoom();
  const typing = heard(bob.client, 'typing');
  for (let i = 0; i < 50; i += 1) alice.client.typing(chatId);
  await eventually(() => expect(alice.commands.filter(({ command }) => command?.$case === 'typing')).toHaveLength(1));
  // Only live readers receive it, and Bob's stream may still be opening.
  await eventually(() => {
    alice.client.typing(chatId);
    expect(typing).toContainEqual({ chatId, user: alice.user });
  });
  await alice.client.close();
  alice.client.typing(chatId);
});

test('members get presence events, and can list the online users', async () => {
  const { alice, bob, chatId } = await inOneRoom();
  const presence = heard(alice.client, 'presence');
  expect(await alice.client.onlineUsers(chatId)).toEqual(
    [alice.user, bob.user].sort((one, other) => (one.id < other.id ? -1 : 1)),
  );
  expect(await alice.client.chat(chatId).onlineUsers()).toHaveLength(2);
  await bob.client.close();
  await eventually(() => expect(presence).toContainEqual({ chatId, user: bob.user, online: false }));
});

test('markRead returns the unread count, and others get the read mark', async () => {
  const { alice, bob, chatId } = await inOneRoom();
  const read = heard(bob.client, 'read');
  const seqs: number[] = [];
  for (const text of ['one', 'two', 'three']) seqs.push((await bob.client.send(chatId, text)).seq);
  const before = (await alice.client.chats()).find(({ id }) => id === chatId);
  expect(before).toMatchObject({ unreadCount: 3, lastMessage: { text: 'three' } });

  expect(await alice.client.markRead(chatId, seqs[1]!)).toEqual({
    readSeq: seqs[1],
    unreadCount: 1,
    readGeneration: 0,
    mentionCount: 0,
  });

  await eventually(() => expect(read).toContainEqual({ chatId, userId: alice.user.id, seq: seqs[1], generation: 0 }));
});

test('read marks that are set while another is being sent are sent as one, the furthest', async () => {
  const { alice, bob, chatId } = await inOneRoom();
  const seqs: number[] = [];
  for (let i = 0; i < 10; i += 1) seqs.push((await bob.client.send(chatId, `${i}`)).seq);

  const answers = await Promise.all(seqs.map((seq) => alice.client.markRead(chatId, seq)));

  expect(alice.marks).toEqual([seqs[0], seqs.at(-1)]);
  expect(answers.slice(1)).toEqual(
    answers.slice(1).map(() => ({ readSeq: seqs.at(-1), unreadCount: 0, readGeneration: 0, mentionCount: 0 })),
  );
  await expect(alice.client.markRead(chatId, 1_000)).rejects.toMatchObject({ reason: 'CURSOR_IN_FUTURE' });
  expect(await alice.client.markRead(chatId, 1)).toMatchObject({ readSeq: seqs.at(-1) });
});

test('chats() returns all chats, over many pages', async () => {
  const { client, user } = await newClient();
  const friend = await newClient();
  const ids: string[] = [];
  for (let i = 0; i < 205; i += 1) ids.push((await client.joinRoom(uniqueName('many'))).id);
  ids.push((await friend.client.openDirect(user.id)).id);
  expect((await client.chats()).map(({ id }) => id).sort()).toEqual(ids.sort());
});

test('a listener that throws affects neither other listeners nor the connection', async () => {
  const { client, states } = await newClient();
  const uncaught: unknown[] = [];
  const noted = (error: unknown) => void uncaught.push(error);
  const others = process.rawListeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', noted);
  onTestFinished(() => {
    process.removeListener('uncaughtException', noted);
    for (const listener of others) process.on('uncaughtException', listener as () => void);
  });
  const fault = new Error('a fault of the application');
  client.on('message', ({ system }) => {
    if (!system) throw fault;
  });
  const messages = heard(client, 'message');
  const room = await client.joinRoom(uniqueName('room'));
  await client.send(room.id, 'one');
  await client.send(room.id, 'two');
  await eventually(() => expect(messages.map(({ text }) => text)).toEqual(['', 'one', 'two']));
  expect(uncaught).toEqual([fault, fault]);
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'online']);
});

/** Gives the process the event methods of a browser's window until the test ends. */
function withWindowEvents(): EventTarget {
  const target = new EventTarget();
  const methods = {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
  };
  Object.assign(globalThis, methods);
  onTestFinished(() => {
    for (const name of Object.keys(methods)) delete (globalThis as Record<string, unknown>)[name];
  });
  return target;
}

test('the client reconnects at once when the browser reports that the network is back', async () => {
  const target = withWindowEvents();
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const { client, states } = await newClient({ url: proxy.dsn });
  proxy.cut();
  // Wait until the pause before the next attempt is long.
  await eventually(() => expect(states.at(-1)).toMatchObject({ kind: 'offline' }));
  await eventually(() => {
    const { kind, ...rest } = client.state;
    expect(kind === 'offline' && (rest as { retryInMs: number }).retryInMs > 2_000).toBe(true);
  });
  proxy.restore();
  target.dispatchEvent(new Event('online'));
  await nextTurn();
  expect(client.state.kind).toBe('connecting');
  await eventually(() => expect(client.state.kind).toBe('online'));
});

test('when the network changes, a connection without answers is soon closed', async () => {
  const target = withWindowEvents();
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const { client, states } = await newClient({ url: proxy.dsn, silenceMs: 600_000 });
  target.dispatchEvent(new Event('online'));
  await client.joinRoom(uniqueName('room'));
  proxy.freeze();
  target.dispatchEvent(new Event('offline'));
  await eventually(() => expect(states.map(({ kind }) => kind)).toContain('offline'));
  const error = states.flatMap((state) => (state.kind === 'offline' ? [state.error] : []))[0];
  expect(error).toBeInstanceOf(ChatClientError);
});
