import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RemovalReason } from '../../../pkg/api/chat/v1/chat.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Principal } from '../../model/principal.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { eventually } from '../../testing/eventually.ts';
import { LossyBus } from '../../testing/faults/lossy-bus.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import {
  principalOf,
  startTestNode,
  type TestNode,
  type TestNodeOptions,
  type TestStream,
} from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
const nodes: TestNode[] = [];
beforeAll(async () => {
  storage = await openTestStorage();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(() => storage.close());

const alice = principalOf('alice');

async function startNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const node = await startTestNode(storage, options);
  nodes.push(node);
  return node;
}

/** A user whom no other test knows. */
function somebody(): Principal {
  return principalOf(`user ${randomUUID()}`.replaceAll(' ', '-'));
}

async function newChat({ service }: TestNode, ...members: Principal[]): Promise<string> {
  const memberIds = members.map(({ userId }) => userId);
  return (await service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds })).chat.id;
}

async function say({ service }: TestNode, chatId: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text });
}

async function subscribeAll(
  stream: TestStream,
  cursors: Record<string, number> = {},
  others: 'NOW' | 'JOINED' | 'BEGINNING' = 'NOW',
): Promise<void> {
  const commandId = randomUUID();
  const byChat = new Map(Object.entries(cursors).map(([chatId, seq]) => [chatId, { seq, epoch: '' }]));
  stream.send({ kind: 'subscribe_all', commandId, cursors: byChat, others });
  const answered = () =>
    [...stream.of('accepted'), ...stream.of('rejected')].some((answer) => answer.commandId === commandId);
  await eventually(() => expect(answered()).toBe(true));
}

describe('subscribing to all chats', () => {
  test('starts each after its cursor, and the others where it is asked', async () => {
    const node = await startNode();
    const me = somebody();
    const old = await newChat(node);
    await say(node, old, 'before me');
    await node.service.addMembers(alice, old, [me.userId]);
    await say(node, old, 'with me');
    const known = await newChat(node, me);
    await say(node, known, 'seen', 'not seen');

    for (const [others, expected] of [
      ['NOW', []],
      ['JOINED', [3, 4]],
      ['BEGINNING', [1, 2, 3, 4]],
    ] as const) {
      const stream = node.open(me.userId);
      await subscribeAll(stream, { [known]: 2 }, others);
      await eventually(() => expect(stream.of('caughtUp')).toHaveLength(2));
      expect([stream.numbers(old), stream.numbers(known)]).toEqual([expected, [3]]);
      const kinds = stream.events.map(({ $case }) => $case);
      expect(kinds.lastIndexOf('subscribed')).toBeLessThan(kinds.indexOf('accepted'));
    }
  });

  test('tells of chats that the user is not in any more', async () => {
    const node = await startNode();
    const me = somebody();
    const left = await newChat(node, me);
    await node.service.leaveChat(me, left);
    const stream = node.open(me.userId);
    await subscribeAll(stream, { [left]: 1, [randomUUID()]: 5 });
    expect(stream.of('chatRemoved').map(({ reason }) => reason)).toEqual([
      RemovalReason.UNSPECIFIED,
      RemovalReason.UNSPECIFIED,
    ]);
    expect(stream.of('subscribed')).toEqual([]);
  });

  test.each([
    ['arrives', () => 'arrive' as const],
    ['is lost', () => 'lose' as const],
    ['comes late', () => 'late' as const],
  ])('brings each chat that the user is added to later, when the news of it %s', async (_, fate) => {
    const node = await startNode({ bus: new LossyBus(new MemoryBus(), { chat: fate, membership: fate }) });
    const me = somebody();
    const stream = node.open(me.userId);
    await subscribeAll(stream);
    const old = await newChat(node);
    await say(node, old, 'before me');

    await node.service.addMembers(alice, old, [me.userId]);
    await say(node, old, 'with me');

    await eventually(() => expect(stream.numbers(old)).toEqual([3, 4]));
    expect(stream.of('chatAdded').map(({ chat }) => [chat?.id, chat?.joinedSeq])).toEqual([[old, 3]]);
    expect(stream.of('subscribed')).toMatchObject([{ commandId: '', chatId: old, afterSeq: 2 }]);
    const kinds = stream.events.map(({ $case }) => $case);
    expect(kinds.indexOf('chatAdded')).toBeLessThan(kinds.indexOf('subscribed'));
  });

  test('on several streams of a user brings a new chat to each, and goes on when one of them ends', async () => {
    const node = await startNode();
    const me = somebody();
    const streams = [node.open(me.userId), node.open(me.userId)];
    for (const stream of streams) await subscribeAll(stream);
    const first = await newChat(node, me);
    await eventually(() => expect(streams.map((stream) => stream.numbers(first))).toEqual([[1], [1]]));
    streams[0]!.cancel();
    await streams[0]!.ended;
    const second = await newChat(node, me);
    await eventually(() => expect(streams[1]!.numbers(second)).toEqual([1]));
  });

  test('leaves out a chat that was unsubscribed from, until it is asked for again or the user comes back to it', async () => {
    const node = await startNode();
    const me = somebody();
    const [unwanted, returning] = [await newChat(node, me), await newChat(node, me)];
    const stream = node.open(me.userId);
    await subscribeAll(stream);
    for (const chatId of [unwanted, returning]) stream.send({ kind: 'unsubscribe', commandId: chatId, chatId });
    await eventually(() => expect(stream.of('accepted')).toHaveLength(3));

    const added = await newChat(node, me);
    await say(node, unwanted, 'not for me');
    await eventually(() => expect(stream.numbers(added)).toEqual([1]));
    expect(stream.of('chatAdded').map(({ chat }) => chat?.id)).toEqual([added]);
    expect(stream.numbers(unwanted)).toEqual([]);

    await node.service.leaveChat(me, returning);
    // A stream that hears of a later membership has looked at its memberships since.
    const later = await newChat(node, me);
    await eventually(() => expect(stream.numbers(later)).toEqual([1]));
    await node.service.addMembers(alice, returning, [me.userId]);
    await eventually(() => expect(stream.numbers(returning)).toEqual([3]));
    stream.subscribe(unwanted, 0);
    await eventually(() => expect(stream.numbers(unwanted)).toEqual([1, 2]));
  });

  test('costs a reader that takes nothing bounded memory, however often others add it and take it out', async () => {
    const outboxBytes = 4_000;
    const node = await startNode({ session: { outboxBytes } });
    const me = somebody();
    const [changing, constant] = [await newChat(node), await newChat(node, me)];
    const stream = node.open(me.userId);
    await subscribeAll(stream);
    stream.pause();
    let most = 0;
    for (let i = 0; i < 100; i += 1) {
      await node.service.addMembers(alice, changing, [me.userId]);
      if (i % 10 === 0) await newChat(node, me);
      await node.service.removeMember(alice, changing, me.userId);
      most = Math.max(most, stream.session.queuedBytes);
    }
    await node.service.addMembers(alice, changing, [me.userId]);
    await node.service.removeMember(alice, constant, me.userId);
    expect(most).toBeGreaterThan(outboxBytes / 2);
    expect(most).toBeLessThan(outboxBytes + 1_500);

    stream.resume();
    await say(node, changing, 'last');
    await eventually(() => expect(stream.messages(changing).at(-1)?.text).toBe('last'));
    const { items } = await node.service.listChats(me, 100);
    expect(items).toHaveLength(11);
    await eventually(() => {
      const added = new Set(stream.of('chatAdded').map(({ chat }) => chat!.id));
      expect(items.filter(({ id }) => !added.has(id))).toEqual([]);
    });
    expect(stream.of('chatRemoved').map(({ chatId }) => chatId)).toContain(constant);
  });

  test('changes nothing when it is refused, not even later', async () => {
    const node = await startNode();
    const me = somebody();
    const chatId = await newChat(node, me);
    const stream = node.open(me.userId);
    await subscribeAll(stream, { [chatId]: 99 });
    expect(stream.of('rejected')).toHaveLength(1);
    const [added, read] = [await newChat(node, me), await newChat(node, me)];
    stream.subscribe(read, 0);
    await eventually(() => expect(stream.numbers(read)).toEqual([1]));
    await newChat(node, me);
    await say(node, read, 'x');
    await eventually(() => expect(stream.numbers(read)).toEqual([1, 2]));
    expect([stream.of('subscribed').length, stream.of('chatAdded'), stream.numbers(added)]).toEqual([1, [], []]);
  });

  test('is tried again when the database is away as a chat is added, and keeps no topic afterwards', async () => {
    let failures = 0;
    const failOnce = (key: string) =>
      !failed.has(key) && failed.add(key) && ++failures > 0 ? storageUnavailable('away') : undefined;
    const failed = new Set<string>();
    const memberships = withFaults(storage.memberships, (real) => ({
      async listOfUser(...args) {
        const found = await real.listOfUser(...args);
        const error = found.length === 2 && failOnce('listOfUser');
        if (error) throw error;
        return found;
      },
    }));
    const chats = withFaults(storage.chats, (real) => ({
      async get(...args) {
        const error = failOnce(`get ${args[0]}`);
        if (error) throw error;
        return real.get(...args);
      },
    }));
    const node = await startNode({ chats, memberships, hub: { lingerMs: 10 } });
    const me = somebody();
    const stream = node.open(me.userId);
    await subscribeAll(stream);
    const added = await Promise.all(
      [1, 2].map(async () => (await storage.chats.createGroup(user('alice'), 'x', [me.userId])).chat.id),
    );
    node.bus.publishMembershipChange([me.userId]);

    await eventually(() => expect(added.map((chatId) => stream.numbers(chatId))).toEqual([[1], [1]]));
    expect(failures).toBe(3);
    stream.cancel();
    await stream.ended;
    await eventually(() => expect(node.hub.size).toBe(0));
  });
});

describe('a subscription', () => {
  test('begins anew when the chat is subscribed to again', async () => {
    const node = await startNode();
    const me = somebody();
    const chatId = await newChat(node, me);
    await say(node, chatId, 'x');
    const stream = node.open(me.userId);
    stream.subscribe(chatId, 0);
    stream.subscribe(chatId, 1);
    await eventually(() => expect(stream.of('caughtUp').length).toBeGreaterThan(0));
    await say(node, chatId, 'y');
    await eventually(() => expect(stream.numbers(chatId).at(-1)).toBe(3));
    const second = stream.events.findLastIndex(({ $case }) => $case === 'subscribed');
    const after = stream.events.slice(second).filter(({ $case }) => $case === 'message');
    expect(after.map(({ value }) => (value as { seq: number }).seq)).toEqual([2, 3]);
  });

  test('ends with unsubscribing, and what was queued is dropped', async () => {
    const node = await startNode();
    const me = somebody();
    const [chatId, other] = [await newChat(node, me), await newChat(node, me)];
    const stream = node.open(me.userId);
    stream.subscribe(chatId);
    stream.subscribe(other);
    await eventually(() => expect(stream.of('caughtUp')).toHaveLength(2));
    stream.send({ kind: 'unsubscribe', commandId: 'u', chatId });
    await eventually(() => expect(stream.of('accepted')).toHaveLength(1));
    await say(node, chatId, 'x');
    await say(node, other, 'y');
    await eventually(() => expect(stream.numbers(other)).toEqual([2]));
    expect(stream.numbers(chatId)).toEqual([]);
    stream.send({ kind: 'unsubscribe', commandId: 'again', chatId });
    await eventually(() => expect(stream.of('rejected').map(({ status }) => status?.code)).toEqual([5]));
  });

  test('is refused beyond the limit of a stream, and one more fits as soon as another has ended', async () => {
    const limits = { maxTextLength: 100, maxFrameBytes: 1, maxCommandsPerFrame: 1, maxSubscriptions: 2 };
    const node = await startNode({ session: { limits } });
    const me = somebody();
    const chatIds = [await newChat(node, me), await newChat(node, me), await newChat(node, me)];
    const stream = node.open(me.userId);
    for (const chatId of [...chatIds, chatIds[0]!]) stream.subscribe(chatId);
    await subscribeAll(stream);
    expect(stream.of('rejected').map(({ status }) => status?.code)).toEqual([8, 8]);
    expect(stream.of('subscribed').map(({ chatId }) => chatId)).toEqual([chatIds[0], chatIds[1], chatIds[0]]);
    await node.service.removeMember(alice, chatIds[1]!, me.userId);
    await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
    stream.subscribe(chatIds[2]!);
    await eventually(() => expect(stream.of('subscribed')).toHaveLength(4));
  });

  test('that was being begun when its stream ended keeps no topic', async () => {
    const [asked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const messages = withFaults(storage.messages, (real) => ({
      async listHeads(...args) {
        asked.resolve();
        await go.promise;
        return real.listHeads(...args);
      },
    }));
    const node = await startNode({ messages, hub: { lingerMs: 10 } });
    const me = somebody();
    const chatId = await newChat(node, me);
    const stream = node.open(me.userId);
    stream.subscribe(chatId);
    await asked.promise;
    stream.cancel();
    await stream.ended;
    go.resolve();
    await eventually(() => expect(node.hub.size).toBe(0));
  });

  test('goes on after the database was away while it caught up', async () => {
    let failures = 2;
    const messages = withFaults(storage.messages, (real) => ({
      findChangesAsMember: (...args) =>
        failures-- > 0 ? Promise.reject(storageUnavailable('away')) : real.findChangesAsMember(...args),
    }));
    const node = await startNode({ messages });
    const me = somebody();
    const chatId = await newChat(node, me);
    await say(node, chatId, 'x', 'y');
    const stream = node.open(me.userId);
    stream.subscribe(chatId, 0);
    await eventually(() => expect(stream.numbers(chatId)).toEqual([1, 2, 3]));
    expect(failures).toBeLessThan(0);
  });
});
