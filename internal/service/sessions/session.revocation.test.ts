import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RemovalReason } from '../../../pkg/api/chat/v1/chat.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { eventually } from '../../testing/eventually.ts';
import { type Fate, LossyBus } from '../../testing/faults/lossy-bus.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf, startTestNode, type TestNode, type TestNodeOptions } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
const nodes: TestNode[] = [];
beforeAll(async () => {
  storage = await openTestStorage();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(() => storage.close());

const [alice, bob] = [principalOf('alice'), principalOf('bob')];

async function startNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const node = await startTestNode(storage, options);
  nodes.push(node);
  return node;
}

async function newChat({ service }: TestNode): Promise<string> {
  const { chat } = await service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: ['bob'] });
  return chat.id;
}

async function sendSome({ service }: TestNode, chatId: string, count: number, text = 'text'): Promise<void> {
  const send = () => service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text });
  await Promise.all(Array.from({ length: count }, send));
}

describe('a member who is removed from a chat', () => {
  test('is told why, and gets nothing that comes after, live on any node', async () => {
    const bus = new MemoryBus();
    const [here, there] = [await startNode({ bus }), await startNode({ bus })];
    const chatId = await newChat(here);
    const streams = [here, there].map((node) => node.open('bob'));
    for (const stream of streams) stream.subscribe(chatId, 0);
    await sendSome(here, chatId, 2);
    await eventually(() =>
      expect(streams.map((stream) => stream.numbers(chatId))).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]),
    );

    await here.service.removeMember(alice, chatId, 'bob');
    await sendSome(there, chatId, 2);

    for (const stream of streams) {
      stream.halfClose();
      await stream.ended;
      expect(stream.numbers(chatId)).toEqual([1, 2, 3]);
      expect(stream.of('chatRemoved')).toEqual([{ chatId, reason: RemovalReason.REMOVED }]);
    }
  });

  test('gets what was queued for it before, and nothing that would have to be read from the database', async () => {
    const node = await startNode({ session: { outboxBytes: 2_000, frameBytes: 500 } });
    const chatId = await newChat(node);
    const [fast, slow] = [node.open('bob'), node.open('bob')];
    for (const stream of [fast, slow]) stream.subscribe(chatId);
    await eventually(() => expect([fast, slow].map((stream) => stream.of('caughtUp').length)).toEqual([1, 1]));
    fast.pause();
    slow.pause();
    await sendSome(node, chatId, 3);
    for (let i = 0; i < 30; i += 1)
      if (slow.session.queuedBytes < 2_000) await sendSome(node, chatId, 1, 'x'.repeat(500));

    const { lastSeq } = await node.service.getChat(alice, chatId);
    const queued = slow.session.queuedBytes;
    await node.service.removeMember(alice, chatId, 'bob');

    await sendSome(node, chatId, 1);
    expect(slow.session.queuedBytes).toBeLessThan(queued + 200);
    for (const stream of [fast, slow]) stream.resume();
    await eventually(() => expect([fast, slow].map((stream) => stream.of('chatRemoved').length)).toEqual([1, 1]));
    for (const numbers of [fast.numbers(chatId), slow.numbers(chatId)]) {
      expect(numbers).toEqual(numbers.map((_, i) => i + 2));
      expect(numbers.at(-1)).toBeLessThanOrEqual(lastSeq);
    }
  });

  test.each<[string, Fate]>([
    ['is lost', 'lose'],
    ['is doubled', 'double'],
    ['comes late', 'late'],
  ])('gets nothing that comes after when the news of it %s', async (_, fate) => {
    const bus = new LossyBus(new MemoryBus(), { chat: () => fate, membership: () => fate });
    const node = await startNode({ bus });
    const chatId = await newChat(node);
    const [one, all] = [node.open('bob'), node.open('bob')];
    one.subscribe(chatId, 0);
    all.send({
      kind: 'subscribe_all',
      commandId: 'all',
      cursors: new Map([[chatId, { seq: 0, epoch: '' }]]),
      others: 'NOW',
    });
    await sendSome(node, chatId, 1);
    await eventually(() =>
      expect([one, all].map((stream) => stream.numbers(chatId))).toEqual([
        [1, 2],
        [1, 2],
      ]),
    );

    await node.service.removeMember(alice, chatId, 'bob');
    await sendSome(node, chatId, 5);

    await eventually(() => expect([one, all].map((stream) => stream.of('chatRemoved').length)).toEqual([1, 1]));
    expect([one, all].map((stream) => stream.numbers(chatId))).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('and joins again can read on from the last number', async () => {
    const node = await startNode();
    const chatId = await newChat(node);
    const stream = node.open('bob');
    stream.subscribe(chatId, 0);
    await sendSome(node, chatId, 1);
    await eventually(() => expect(stream.numbers(chatId)).toEqual([1, 2]));
    await node.service.removeMember(alice, chatId, 'bob');
    await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
    await sendSome(node, chatId, 1);
    await node.service.addMembers(alice, chatId, ['bob']);
    stream.subscribe(chatId, 2);
    await sendSome(node, chatId, 1);
    await eventually(() => expect(stream.numbers(chatId)).toEqual([1, 2, 3, 4, 5, 6]));
    expect(stream.of('chatRemoved')).toHaveLength(1);
  });

  test('and joins again before the publication arrives still gets the chat, if all chats are subscribed to', async () => {
    // The node learns of both at once, and looks at the memberships before it looks at the messages.
    const bus = new LossyBus(new MemoryBus(), { chat: () => 'lose', membership: () => 'lose' });
    const node = await startNode({ bus, hub: { repairIntervalMs: 200, stragglerMs: 50 } });
    const chatId = await newChat(node);
    const stream = node.open('bob');
    stream.send({ kind: 'subscribe_all', commandId: 'all', cursors: new Map(), others: 'NOW' });
    await eventually(() => expect(stream.of('accepted')).toHaveLength(1));

    await node.service.removeMember(alice, chatId, 'bob');
    await node.service.addMembers(alice, chatId, ['bob']);
    await sendSome(node, chatId, 2);

    await eventually(() => expect(stream.numbers(chatId).at(-1)).toBe(5));
    await sendSome(node, chatId, 1);
    await eventually(() => expect(stream.numbers(chatId).at(-1)).toBe(6));
  });

  test('at any moment, whatever they read and however the bus delivers it, gets nothing from after the last removal', async () => {
    let fates: readonly Fate[] = [];
    let next = 0;
    const fate = () => fates[next++ % fates.length]!;
    const bus = new MemoryBus();
    const session = { outboxBytes: 1_000, pageSize: 3 };
    const lossy = () => new LossyBus(bus, { chat: fate, membership: fate });
    const [here, there] = [await startNode({ bus: lossy(), session }), await startNode({ bus: lossy(), session })];
    const step = fc.constantFrom('send', 'send', 'long', 'out', 'in', 'pause', 'resume', 'subscribe', 'all');
    const anyFates = fc.array(fc.constantFrom<Fate>('arrive', 'lose', 'double', 'late'), {
      minLength: 1,
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14, size: 'max' }), anyFates, async (steps, given) => {
        [fates, next] = [given, 0];
        const chatId = await newChat(here);
        const streams = [here.open('bob'), there.open('bob'), here.open('bob', { paused: true })];
        for (const stream of streams) stream.subscribe(chatId, 0);
        for (const [i, each] of steps.entries()) {
          const stream = streams[i % streams.length]!;
          if (each === 'send') await sendSome(there, chatId, 2);
          else if (each === 'long') await sendSome(here, chatId, 2, 'x'.repeat(1_000));
          else if (each === 'out') await here.service.removeMember(alice, chatId, 'bob').catch(() => {});
          else if (each === 'in') await there.service.addMembers(alice, chatId, ['bob']);
          else if (each === 'pause') stream.pause();
          else if (each === 'resume') stream.resume();
          else if (each === 'subscribe') stream.subscribe(chatId, 0);
          else
            stream.send({
              kind: 'subscribe_all',
              commandId: 'all',
              cursors: new Map([[chatId, { seq: 0, epoch: '' }]]),
              others: 'NOW',
            });
        }
        await there.service.addMembers(alice, chatId, ['bob']);
        await here.service.removeMember(alice, chatId, 'bob');
        const { lastSeq } = await storage.chats.get(chatId, 'alice');
        await sendSome(there, chatId, 3);
        for (const stream of streams) stream.resume();
        await eventually(() => {
          for (const stream of streams) {
            const last = stream.events.findLast(
              ({ $case, value }) => ($case === 'chatRemoved' || $case === 'subscribed') && value.chatId === chatId,
            );
            expect(last?.$case).not.toBe('subscribed');
          }
        });
        for (const stream of streams) {
          stream.halfClose();
          await stream.ended;
          for (const number of stream.numbers(chatId)) expect(number).toBeLessThan(lastSeq);
        }
      }),
      { numRuns: 25 },
    );
  });
});

test('a member who leaves is sent the reason', async () => {
  const node = await startNode();
  const chatId = await newChat(node);
  const stream = node.open('bob');
  stream.subscribe(chatId);
  await eventually(() => expect(stream.of('caughtUp')).toHaveLength(1));
  await node.service.leaveChat(bob, chatId);
  await eventually(() => expect(stream.of('chatRemoved')).toEqual([{ chatId, reason: RemovalReason.LEFT }]));
});

describe('when a chat is deleted', () => {
  test.each<[string, Fate]>([
    ['arrives', 'arrive'],
    ['is lost', 'lose'],
  ])('and the news of it %s, all readers are told once, those who are behind too', async (_, fate) => {
    const node = await startNode({
      bus: new LossyBus(new MemoryBus(), { chat: () => fate }),
      session: { outboxBytes: 1_000 },
    });
    const chatId = await newChat(node);
    const [live, behind] = [node.open('bob'), node.open('bob')];
    for (const stream of [live, behind]) stream.subscribe(chatId, 0);
    await eventually(() => expect([live, behind].map((stream) => stream.of('caughtUp').length)).toEqual([1, 1]));
    behind.pause();
    for (let i = 0; i < 5; i += 1) await sendSome(node, chatId, 2, 'x'.repeat(500));
    await node.service.deleteChat(alice, chatId);
    await eventually(() => expect(live.of('chatRemoved')).toEqual([{ chatId, reason: RemovalReason.DELETED }]));
    behind.resume();
    await eventually(() => expect(behind.of('chatRemoved')).toHaveLength(1));
    for (const stream of [live, behind]) {
      stream.halfClose();
      await stream.ended;
      expect(stream.of('chatRemoved')).toHaveLength(1);
    }
  });

  test('a stream that is subscribing to it is sent its end too', async () => {
    const [asked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const memberships = withFaults(storage.memberships, (real) => ({
      async find(...args) {
        const membership = await real.find(...args);
        if (args[1] !== 'bob') return membership;
        asked.resolve();
        await go.promise;
        return membership;
      },
    }));
    const node = await startNode({ memberships });
    const chatId = await newChat(node);
    const [first, late] = [node.open('alice'), node.open('bob')];
    first.subscribe(chatId);
    await eventually(() => expect(first.of('caughtUp')).toHaveLength(1));
    late.subscribe(chatId);
    await asked.promise;
    await node.service.deleteChat(alice, chatId);
    await eventually(() => expect(first.of('chatRemoved')).toHaveLength(1));
    go.resolve();
    await eventually(() => expect(late.of('chatRemoved').length + late.of('rejected').length).toBe(1));
  });
});
