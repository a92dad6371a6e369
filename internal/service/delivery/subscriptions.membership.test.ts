import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { entryOf } from '../../model/entry.ts';
import type { Principal } from '../../model/principal.ts';
import { eventually } from '../../testing/eventually.ts';
import { type Fate, LossyBus } from '../../testing/faults/lossy-bus.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf, startTestNode, type TestNode, type TestStream } from '../../testing/services/test-node.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
let node: TestNode;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterEach(() => node.stop());
afterAll(() => storage.close());

const alice = principalOf('alice');
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

type Reader = 'live' | 'catching up' | 'slow';
type Ending = 'removed' | 'left' | 'banned';
type Kind = 'subscribe' | 'subscribe_all';

const readers: Reader[] = ['live', 'catching up', 'slow'];
const endings: Ending[] = ['removed', 'left', 'banned'];
const kinds: Kind[] = ['subscribe_all', 'subscribe'];

/** One user's reading of a chat from its first message, while the membership ends and begins again. */
class Scene {
  readonly chatId: string;
  readonly me: Principal;
  readonly #node: TestNode;
  readonly #bus: boolean;
  readonly #pages: PromiseWithResolvers<void>;

  static async start(bus: boolean): Promise<Scene> {
    const pages = Promise.withResolvers<void>();
    const messages = withFaults(storage.messages, (real) => ({
      async findChangesAsMember(...args) {
        await pages.promise;
        return real.findChangesAsMember(...args);
      },
    }));
    const lose = (): Fate => 'lose';
    node = await startTestNode(storage, {
      messages,
      bus: bus ? new MemoryBus() : new LossyBus(new MemoryBus(), { chat: lose, membership: lose }),
      hub: { repairIntervalMs: 600_000, recentChars: 100_000 },
      session: { outboxBytes: 3_000, frameBytes: 1_000 },
    });
    const me = principalOf(`user-${randomUUID()}`);
    const memberIds = [me.userId];
    const { chat } = await node.service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds });
    const scene = new Scene({ node, bus, pages, chatId: chat.id, me });
    await scene.say('x');
    return scene;
  }

  constructor({
    node,
    bus,
    pages,
    chatId,
    me,
  }: { node: TestNode; bus: boolean; pages: PromiseWithResolvers<void>; chatId: string; me: Principal }) {
    this.#node = node;
    this.#bus = bus;
    this.#pages = pages;
    this.chatId = chatId;
    this.me = me;
  }

  async say(text: string): Promise<void> {
    await this.#node.service.sendMessage(alice, { chatId: this.chatId, clientMessageId: randomUUID(), text });
  }

  /** Opens a stream that reads the chat after a number. */
  open(kind: Kind, afterSeq = 0): TestStream {
    const stream = this.#node.open(this.me.userId);
    this.subscribe(stream, kind, afterSeq);
    return stream;
  }

  subscribe(stream: TestStream, kind: Kind, afterSeq: number): void {
    if (kind === 'subscribe') return stream.subscribe(this.chatId, afterSeq);
    const cursors = new Map([[this.chatId, { seq: afterSeq, epoch: '' }]]);
    stream.send({ kind, commandId: 'all', cursors, others: 'JOINED' });
  }

  /** Lets readers that are catching up read their pages. */
  releasePages(): void {
    this.#pages.resolve();
  }

  async end(ending: Ending): Promise<void> {
    const { chatId, me } = this;
    if (ending === 'removed') return this.#node.service.removeMember(alice, chatId, me.userId);
    if (ending === 'left') return this.#node.service.leaveChat(me, chatId);
    const ban = { userId: me.userId, reason: '' };
    const { messages } = await storage.chatBans.ban(chatId, user('alice'), ban, allow);
    this.#node.bus.publishToChat(chatId, { kind: 'entries', entries: messages.map(entryOf) });
    this.#node.bus.publishMembershipChange([me.userId]);
  }

  async addAgain(ending: Ending): Promise<void> {
    const { chatId, me } = this;
    if (ending === 'banned') await storage.chatBans.lift(chatId, user('alice'), me.userId, allow);
    await this.#node.service.addMembers(alice, chatId, [me.userId]);
  }

  /** Without a bus a node learns of changes only by comparing itself with the database. */
  async notice(): Promise<void> {
    if (!this.#bus) await this.#node.hub.repair();
  }

  async head(): Promise<number> {
    return (await storage.messages.listHeads([this.chatId])).get(this.chatId)!;
  }

  /** Opens a stream that is as far as `reader` says. A slow reader's buffer is full, and holds messages from before the membership ends. */
  async read(reader: Reader, kind: Kind): Promise<TestStream> {
    if (reader !== 'catching up') this.releasePages();
    const stream = this.open(kind);
    if (reader === 'catching up') {
      await eventually(() => expect(stream.of('subscribed')).toHaveLength(1));
      return stream;
    }
    await eventually(() => expect(stream.of('caughtUp')).toHaveLength(1));
    if (reader === 'slow') {
      stream.pause();
      while (stream.session.queuedBytes <= 3_000) {
        await this.say('x'.repeat(1_000));
        await this.notice();
      }
    }
    return stream;
  }

  /** Waits until the stream has every message once. A client whose subscription has ended subscribes again after its cursor. */
  async expectAll(stream: TestStream, kind: Kind): Promise<void> {
    const head = await this.head();
    const isComplete = () => stream.numbers(this.chatId).at(-1) === head;
    if (kind === 'subscribe') {
      await eventually(() => expect(isComplete() || stream.of('chatRemoved').length > 0).toBe(true));
      if (!isComplete()) this.subscribe(stream, kind, stream.numbers(this.chatId).at(-1) ?? 0);
    }
    await eventually(() => expect(isComplete()).toBe(true));
    expect(stream.numbers(this.chatId)).toEqual(upTo(head));
  }
}

describe.each([
  ['with a bus', true],
  ['without a bus', false],
] as const)('%s, a reader whose membership ends and begins again gets each message once', (_, bus) => {
  const cases = kinds.flatMap((kind) =>
    readers.flatMap((reader) => endings.map((ending) => [kind, reader, ending] as const)),
  );

  test.each(cases)('%s, %s, %s and added again before the node notices', async (kind, reader, ending) => {
    const scene = await Scene.start(bus);
    const stream = await scene.read(reader, kind);
    await scene.say('before');
    await scene.end(ending);
    await scene.addAgain(ending);
    await scene.say('after');
    await scene.notice();
    scene.releasePages();
    stream.resume();
    await scene.expectAll(stream, kind);
  });

  test.each(cases)('%s, %s, %s and added again later', async (kind, reader, ending) => {
    const scene = await Scene.start(bus);
    const stream = await scene.read(reader, kind);
    await scene.say('before');
    const last = await scene.head();
    await scene.end(ending);
    await scene.say('behind their back');
    await scene.notice();
    scene.releasePages();
    if (reader !== 'slow') {
      await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
      if (reader === 'live' && kind === 'subscribe') expect(stream.numbers(scene.chatId)).toEqual(upTo(last));
      expect(stream.numbers(scene.chatId).at(-1) ?? 0).toBeLessThanOrEqual(last);
    }
    await scene.addAgain(ending);
    await scene.say('after');
    await scene.notice();
    stream.resume();
    await scene.expectAll(stream, kind);
  });

  test.each(cases)('%s, %s, %s and added again while it was not connected', async (kind, reader, ending) => {
    const scene = await Scene.start(bus);
    const stream = await scene.read(reader, kind);
    stream.cancel();
    scene.releasePages();
    await stream.ended;
    const seen = stream.numbers(scene.chatId);
    await scene.say('before');
    await scene.end(ending);
    await scene.addAgain(ending);
    await scene.say('after');
    const again = scene.open(kind, seen.at(-1) ?? 0);
    const head = await scene.head();
    await eventually(() => expect([...seen, ...again.numbers(scene.chatId)]).toEqual(upTo(head)));
  });
});

test.each(endings)('a live reader gets what was written before it is %s, and nothing after that', async (ending) => {
  const scene = await Scene.start(false);
  const stream = await scene.read('live', 'subscribe');
  await scene.say('before');
  const last = await scene.head();
  await scene.end(ending);
  await scene.say('behind their back');
  await scene.notice();
  await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
  stream.send({ kind: 'ping', commandId: 'p' });
  await eventually(() => expect(stream.of('pong')).toHaveLength(1));
  expect(stream.numbers(scene.chatId)).toEqual(upTo(last));
  expect(stream.events.findIndex(({ $case }) => $case === 'chatRemoved')).toBeGreaterThan(
    stream.events.findLastIndex(({ $case }) => $case === 'message'),
  );
});

test('a reader that reconnects with a cursor while it is not a member is resumed there once it is added again', async () => {
  const scene = await Scene.start(true);
  scene.releasePages();
  await scene.say('before');
  await scene.end('removed');
  const stream = scene.open('subscribe_all', 2);
  await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
  await scene.say('behind their back');
  expect(stream.numbers(scene.chatId)).toEqual([]);
  await scene.addAgain('removed');
  await scene.say('after');
  const head = await scene.head();
  await eventually(() => expect(stream.numbers(scene.chatId)).toEqual(upTo(head, 3)));
});

test('a cursor beyond the chat does not hide anything since the user was added again', async () => {
  const scene = await Scene.start(true);
  scene.releasePages();
  await scene.end('removed');
  const stream = scene.open('subscribe_all', 1_000);
  await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
  await scene.addAgain('removed');
  await scene.say('after');
  await eventually(() => expect(stream.numbers(scene.chatId)).toEqual([4, 5]));
});
