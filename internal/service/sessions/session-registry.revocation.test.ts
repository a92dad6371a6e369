import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CloseReason, ConnectChatResponse, type Event } from '../../../pkg/api/chat/v1/chat.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { ProtobufEventEncoder } from '../../converter/event.ts';
import type { Command } from '../../model/command.ts';
import type { Principal } from '../../model/principal.ts';
import { eventually } from '../../testing/eventually.ts';
import { fastestOf } from '../../testing/fastest-of.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf, startTestNode, type TestNode } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { RevocationLog } from '../accounts/revocations.fixture.ts';
import { frameIterator } from './frame-iterator.ts';
import { IteratedInbox } from './inbox.ts';

let storage: TestStorage;
let log: RevocationLog;
let nodes: [TestNode, TestNode];
const streams: Stream[] = [];
beforeAll(async () => {
  storage = await openTestStorage();
});
beforeEach(async () => {
  log = new RevocationLog();
  const bus = new MemoryBus();
  const revoked = { sessions: log, bans: log };
  nodes = [await startTestNode(storage, { bus, revoked }), await startTestNode(storage, { bus, revoked })];
});
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.leave();
  for (const node of nodes) await node.stop();
});
afterAll(() => storage.close());

const alice = principalOf('alice');
const bearer = (userId: string, sessionId?: string): Principal => ({ ...principalOf(userId), sessionId });

/** A stream of the registry, read at the test's pace. */
class Stream {
  readonly events: NonNullable<Event['event']>[] = [];
  readonly ended: Promise<unknown>;
  hasEnded = false;
  readonly #controller = new AbortController();
  readonly #commands: Command[];
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(node: TestNode, principal: Principal, ...commands: Command[]) {
    this.#commands = commands;
    this.ended = this.#read(node, principal);
    streams.push(this);
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  kinds(): string[] {
    return this.events.map(({ $case }) => $case);
  }

  texts(): string[] {
    return this.events.flatMap((event) => (event.$case === 'message' ? [event.value.text] : []));
  }

  async leave(): Promise<void> {
    this.#controller.abort();
    this.resume();
    await this.ended;
  }

  async #read(node: TestNode, principal: Principal): Promise<unknown> {
    const { signal } = this.#controller;
    try {
      const encoder = new ProtobufEventEncoder();
      for await (const frame of frameIterator(
        node.sessions.run.bind(
          node.sessions,
          { principal, encoder, transport: 'grpc' },
          new IteratedInbox(this.#incoming(signal), (frame) => frame),
        ),
        signal,
      )) {
        for (const { event } of ConnectChatResponse.decode(frame.bytes).events) if (event) this.events.push(event);
        await this.#paused?.promise;
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.hasEnded = true;
    }
  }

  async *#incoming(signal: AbortSignal): AsyncGenerator<Command[]> {
    yield this.#commands;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}

async function newChat(): Promise<string> {
  const { chat } = await nodes[0].service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: ['bob'] });
  return chat.id;
}

const say = (chatId: string, text: string) =>
  nodes[0].service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text });

const subscribe = (chatId: string): Command => ({ kind: 'subscribe', commandId: 's', chatId });
const online = async (node: TestNode) => (await node.presence.list(10)).map(({ id }) => id);

const ways: [string, (log: RevocationLog) => void, { reason: string; closing: CloseReason }][] = [
  [
    'session has ended',
    (log) => log.end('lost device'),
    { reason: 'SESSION_REVOKED', closing: CloseReason.SESSION_REVOKED },
  ],
  ['user is banned', (log) => log.ban('bob'), { reason: 'BANNED', closing: CloseReason.BANNED }],
];

describe.each(ways)('when the %s', (_, revoke, { reason, closing }) => {
  test('delivery ends on every node after its next reads of what is revoked, with the reason, while others write on', async () => {
    const chatId = await newChat();
    const own = nodes.map((node) => new Stream(node, bearer('bob', 'lost device'), subscribe(chatId)));
    const other = new Stream(nodes[1], bearer('alice', 'kept'), subscribe(chatId));
    await eventually(() => expect([...own, other].every((each) => each.kinds().includes('caughtUp'))).toBe(true));
    let writing = true;
    onTestFinished(() => {
      writing = false;
    });
    const written = (async () => {
      while (writing) await say(chatId, 'text');
    })();
    await eventually(() => expect(own.every((each) => each.texts().length > 5)).toBe(true));

    revoke(log);
    const { reads } = log;

    const errors = await Promise.all(own.map(({ ended }) => ended));
    const counts = own.map((each) => each.texts().length);
    // Two nodes read two kinds each; the next read of each may have begun before.
    expect(log.reads - reads).toBeLessThanOrEqual(2 * 2 * 3);
    for (const each of own) {
      expect(each.events.at(-1)).toEqual({ $case: 'closing', value: { reason: closing, retryAfterMs: 0 } });
    }
    expect(errors).toEqual([expect.objectContaining({ reason }), expect.objectContaining({ reason })]);
    for (const node of nodes) expect(await online(node)).not.toContain('bob');
    const seen = other.texts().length;
    await eventually(() => expect(other.texts().length).toBeGreaterThan(seen + 5));
    writing = false;
    await written;
    expect(own.map((each) => each.texts().length)).toEqual(counts);
    expect(other.kinds()).not.toContain('closing');
  });

  test('nothing that was queued is shown any more', async () => {
    const chatId = await newChat();
    const stream = new Stream(nodes[1], bearer('bob', 'lost device'), subscribe(chatId));
    await eventually(() => expect(stream.kinds()).toContain('caughtUp'));
    stream.pause();
    await say(chatId, 'taken before');
    await eventually(() => expect(stream.texts()).toEqual(['taken before']));
    await say(chatId, 'secret');
    await eventually(() => expect(nodes[1].sessions.queuedBytes).toBeGreaterThan(0));

    revoke(log);
    await nodes[1].revocations.refresh();
    await say(chatId, 'more of it');
    stream.resume();

    expect(await stream.ended).toMatchObject({ reason });
    expect(stream.texts()).toEqual(['taken before']);
    expect(stream.events.at(-1)?.$case).toBe('closing');
  });

  test('a reader that does not read does not stay online or open', async () => {
    const chatId = await newChat();
    const stream = new Stream(nodes[1], bearer('bob', 'lost device'), subscribe(chatId));
    await eventually(() => expect(stream.kinds()).toContain('caughtUp'));
    stream.pause();
    for (const text of ['taken', 'queued', 'queued']) await say(chatId, text);
    await eventually(() => expect(stream.texts().length).toBe(1));

    revoke(log);
    await eventually(async () => expect([nodes[1].sessions.size, await online(nodes[1])]).toEqual([0, []]));

    expect(stream.hasEnded).toBe(false);
    stream.resume();
    expect(await stream.ended).toMatchObject({ reason });
    expect(stream.texts()).toEqual(['taken']);
    expect([nodes[1].sessions.size, await online(nodes[1])]).toEqual([0, []]);
  });

  test('a stream that is just opening does not slip through, whatever the moment', async () => {
    const chatId = await newChat();
    const late: Stream[] = [];
    let until = Number.POSITIVE_INFINITY;
    const opening = (async () => {
      while (late.length < until) {
        late.push(new Stream(nodes[1], bearer('bob', 'lost device'), subscribe(chatId)));
        await new Promise(setImmediate);
      }
    })();
    await eventually(() => expect(late.length).toBeGreaterThan(20));
    revoke(log);
    await nodes[1].revocations.refresh();
    until = late.length + 20;
    await opening;
    await say(chatId, 'secret');
    const errors = await Promise.all(late.map(({ ended }) => ended));
    expect(errors).toEqual(late.map(() => expect.objectContaining({ reason })));
    expect(late.flatMap((each) => each.texts())).toEqual([]);
    expect(late.at(-1)?.events).toEqual([]);
    expect(nodes[1].sessions.size).toBe(0);
  });
});

test('a stream that was admitted before a revocation and is registered after it is ended at once', async () => {
  const principal = bearer('bob', 's');
  nodes[0].revocations.check(principal);
  log.end('s');
  await nodes[0].revocations.refresh();
  const stream = new Stream(nodes[0], principal);
  expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  expect(stream.events).toEqual([]);
});

test('a stream that is waiting for its presence when its session is revoked shows nothing', async () => {
  const go = Promise.withResolvers<void>();
  const users = withFaults(storage.users, (real) => ({
    remember: (...args) => go.promise.then(() => real.remember(...args)),
  }));
  const node = await startTestNode(storage, { users, revoked: { sessions: log } });
  const stream = new Stream(node, bearer('bob', 's'));
  await eventually(() => expect(node.sessions.size).toBe(1));
  log.end('s');
  await node.revocations.refresh();
  go.resolve();
  expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  expect(stream.kinds()).toEqual(['closing']);
  await node.stop();
});

test('a banned user comes in again when the ban is lifted or has expired', async () => {
  const { revocations } = nodes[0];
  log.ban('bob', new Date(Date.now() + 300));
  log.ban('carol');
  await revocations.refresh();
  for (const id of ['bob', 'carol']) {
    expect(await new Stream(nodes[0], bearer(id)).ended).toMatchObject({ reason: 'BANNED' });
  }
  await eventually(() => revocations.check(bearer('bob')));
  log.lift('carol');
  await revocations.refresh();
  const again = ['bob', 'carol'].map((id) => new Stream(nodes[0], bearer(id)));
  await eventually(() => expect(again.map((each) => each.kinds())).toEqual([['welcome'], ['welcome']]));
});

test('a ban does not end the streams of others, nor an ended session those of the user’s other devices', async () => {
  const all = [bearer('alice'), bearer('bob', 'phone'), bearer('bob', 'desk'), bearer('bob')];
  const open = all.map((principal) => new Stream(nodes[0], principal));
  await eventually(() => expect(nodes[0].sessions.size).toBe(4));
  log.end('phone');
  log.ban('carol');
  await nodes[0].revocations.refresh();
  expect(await open[1]?.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  expect(nodes[0].sessions.size).toBe(3);
  expect(open.map((each) => each.kinds().includes('closing'))).toEqual([false, true, false, false]);
});

test('thousands of streams are looked through in a fraction of the time that opening them takes', async () => {
  const opening = performance.now();
  const many = Array.from({ length: 3_000 }, (_, i) => new Stream(nodes[0], bearer(`user ${i}`, `s${i}`)));
  await eventually(() => expect(many.every((each) => each.events.length > 0)).toBe(true));
  const openedMs = performance.now() - opening;
  let next = 0;
  const lookedMs = await fastestOf(5, () => {
    log.end(`s${next++}`);
    return nodes[0].revocations.refresh();
  });
  expect(lookedMs).toBeLessThan(openedMs / 5);
  expect(await many[4]?.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  expect(nodes[0].sessions.size).toBe(2_995);
});

describe('a stream that is given a new token', () => {
  const tokenOf = async (userId: string, sessionId: string) =>
    (await nodes[0].issuer.issue({ userId, name: userId, roles: ['user'], sessionId })).token;

  test('of a session that has ended refuses it and goes on with the old one', async () => {
    log.end('old');
    await nodes[0].revocations.refresh();
    const authenticate: Command = { kind: 'authenticate', commandId: 'a', token: await tokenOf('bob', 'old') };
    const stream = new Stream(nodes[0], bearer('bob', 'new'), authenticate, { kind: 'ping', commandId: 'p' });
    await eventually(() => expect(stream.kinds()).toEqual(['welcome', 'rejected', 'pong']));
    log.end('new');
    expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  });

  test('of another session ends with that one', async () => {
    const authenticate: Command = { kind: 'authenticate', commandId: 'a', token: await tokenOf('bob', 'second') };
    const stream = new Stream(nodes[0], bearer('bob', 'first'), authenticate);
    await eventually(() => expect(stream.kinds()).toEqual(['welcome', 'accepted']));
    log.end('first');
    await nodes[0].revocations.refresh();
    expect(nodes[0].sessions.size).toBe(1);
    log.end('second');
    expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  });
});
