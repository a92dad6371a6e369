import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { Batch } from '../../model/batch.ts';
import { entryOf, seqOf } from '../../model/entry.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { eventually } from '../../testing/eventually.ts';
import { LossyBus } from '../../testing/faults/lossy-bus.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { Hub, type HubOptions } from './hub.ts';
import type { Topic } from './topic.ts';

let storage: TestStorage;
const hubs: Hub[] = [];
beforeAll(async () => {
  storage = await openTestStorage();
});
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.stop();
});
afterAll(() => storage.close());

interface Parts extends Partial<HubOptions> {
  bus?: Bus;
  messages?: MessageRepository;
  memberships?: MembershipRepository;
}

function newHub({
  bus = new MemoryBus(),
  messages = storage.messages,
  memberships = storage.memberships,
  ...options
}: Parts = {}): Hub {
  const defaults = { repairIntervalMs: 3_600_000, lingerMs: 20, stragglerMs: 1, recentChars: 10_000, pageSize: 10 };
  const hub = new Hub(
    { bus, messages, memberships, epochs: storage.database.epochs, log: pino({ level: 'silent' }) },
    { ...defaults, ...options },
  );
  hubs.push(hub);
  return hub;
}

async function newChat(): Promise<string> {
  return (await storage.chats.createGroup(user('alice'), 'chat', [])).chat.id;
}

async function write(chatId: string, count = 1): Promise<void> {
  await storage.messages.appendBatch(
    Array.from({ length: count }, () => newMessage(chatId, 'alice')),
    ['OWNER'],
  );
}

function listen(topic: Topic, userId = 'alice') {
  const reader = {
    userId,
    numbers: [] as number[],
    deleted: false,
    onBatch: (batch: Batch) => reader.numbers.push(...batch.entries.map(seqOf)),
    onMembershipEnded: () => {},
    onEphemeralEvent: () => {},
    onEpoch: () => {},
    onDeleted: () => {
      reader.deleted = true;
    },
  };
  topic.add(reader);
  topic.goLive(reader);
  return reader;
}

describe('a hub', () => {
  test('keeps one topic for all handles of a chat, and for a while after the last is released', async () => {
    const hub = newHub({ lingerMs: 100 });
    const [chatId, other] = [await newChat(), await newChat()];
    const handles = await Promise.all([hub.acquire([chatId]), hub.acquire([chatId])]);
    const [one, two] = handles.map((found) => found.get(chatId)!);
    expect(one!.topic).toBe(two!.topic);
    one!.release();
    one!.release();
    two!.release();
    expect(hub.size).toBe(1);
    const back = (await hub.acquire([chatId])).get(chatId)!;
    expect(back.topic).toBe(one!.topic);
    (await hub.acquire([other])).get(other)!.release();
    await eventually(() => expect(hub.size).toBe(1));
    const third = (await hub.acquire([chatId])).get(chatId)!;
    expect(third.topic).toBe(back.topic);
    third.release();
    back.release();
    await eventually(() => expect(hub.size).toBe(0));
  });

  test('gives handles for those of the chats that exist, and follows no others', async () => {
    const hub = newHub();
    const chatId = await newChat();
    const handles = await hub.acquire([chatId, randomUUID()]);
    expect([...handles.keys()]).toEqual([chatId]);
    expect(hub.size).toBe(1);
    expect((await hub.acquire([])).size).toBe(0);
  });

  test('misses nothing that is committed while it begins to follow', async () => {
    const bus = new MemoryBus();
    const chatId = await newChat();
    const publish = async (after: number) => {
      await write(chatId);
      const { messages } = await storage.messages.listHistory(chatId, { afterSeq: after }, 1);
      bus.publishToChat(chatId, { kind: 'entries', entries: messages.map(entryOf) });
    };
    const messages = withFaults(storage.messages, (real) => ({
      async listHeads(chatIds) {
        await publish(1);
        const heads = await real.listHeads(chatIds);
        await publish(2);
        return heads;
      },
    }));
    const hub = newHub({ bus, messages });
    const { topic } = (await hub.acquire([chatId])).get(chatId)!;
    const reader = listen(topic);
    await publish(3);
    expect(topic.head).toBe(4);
    expect(reader.numbers).toEqual([4]);
    expect(topic.since(2)?.entries.map(seqOf)).toEqual([3, 4]);
  });

  test('misses nothing that is published before the bus has subscribed', async () => {
    const { promise: subscribed, resolve } = Promise.withResolvers<void>();
    const bus = withFaults<Bus>(new MemoryBus(), (real) => ({
      subscribeToChat: (...args) => subscribed.then(() => real.subscribeToChat(...args)),
    }));
    const chatId = await newChat();
    const acquired = newHub({ bus }).acquire([chatId]);
    await write(chatId);
    resolve();
    expect((await acquired).get(chatId)!.topic.head).toBe(2);
  });

  test('throws while the database is away, keeps no topic, and follows as soon as the database is back', async () => {
    let away = true;
    const messages = withFaults(storage.messages, (real) => ({
      listHeads: (chatIds) => (away ? Promise.reject(storageUnavailable('away')) : real.listHeads(chatIds)),
    }));
    const hub = newHub({ messages });
    const [chatId, other] = [await newChat(), await newChat()];
    const attempts = await Promise.allSettled([hub.acquire([chatId]), hub.acquire([chatId, other])]);
    for (const attempt of attempts) expect(attempt).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE' } });
    await eventually(() => expect(hub.size).toBe(0));
    away = false;
    expect((await hub.acquire([chatId, other])).size).toBe(2);
  });

  test('fetches what the bus has lost: by comparing with the database, and at once when the bus reports a loss', async () => {
    const bus = new LossyBus(new MemoryBus(), { chat: () => 'lose' });
    const [hub, regular] = [newHub({ bus }), newHub({ bus, repairIntervalMs: 20 })];
    const [chatId, deletedId] = [await newChat(), await newChat()];
    const all = await Promise.all([hub, regular].map((each) => each.acquire([chatId, deletedId])));
    const readers = all.flatMap((handles) => [...handles.values()].map(({ topic }) => listen(topic)));
    await write(chatId, 25);
    await storage.chats.delete(deletedId, user('alice'), allow);
    const expected = Array.from({ length: 25 }, (_, i) => i + 2);

    await eventually(() =>
      expect(readers.slice(2).map(({ numbers, deleted }) => [numbers, deleted])).toEqual([
        [expected, false],
        [[], true],
      ]),
    );
    expect(readers[0]?.numbers).toEqual([]);
    bus.reportLoss();
    await eventually(() =>
      expect(readers.map(({ numbers, deleted }) => [numbers, deleted])).toEqual(
        Array(2)
          .fill([
            [expected, false],
            [[], true],
          ])
          .flat(),
      ),
    );
  });

  test('goes on comparing after the database was away', async () => {
    let failures = 3;
    const messages = withFaults(storage.messages, (real) => ({
      listHeads: (chatIds) =>
        chatIds.length === 2 && failures-- > 0 ? Promise.reject(storageUnavailable('away')) : real.listHeads(chatIds),
    }));
    const hub = newHub({ messages, repairIntervalMs: 10 });
    const chatIds = [await newChat(), await newChat()];
    const topics = await Promise.all(chatIds.map(async (chatId) => (await hub.acquire([chatId])).get(chatId)!.topic));
    const reader = listen(topics[0]!);
    await write(chatIds[0]!);
    await eventually(() => expect(reader.numbers).toEqual([2]));
    expect(failures).toBeLessThan(1);
  });
});

describe('watching memberships', () => {
  test('calls each listener of the user until it stops, by the bus or, if that loses the change, by comparing', async () => {
    for (const fate of ['arrive', 'lose'] as const) {
      const bus = new LossyBus(new MemoryBus(), { membership: () => fate });
      const hub = newHub({ bus, repairIntervalMs: 10 });
      const heard = { one: 0, two: 0, other: 0 };
      const userId = randomUUID();
      const stopOne = await hub.watchMemberships(userId, () => (heard.one += 1));
      const stopTwo = await hub.watchMemberships(userId, () => (heard.two += 1));
      await hub.watchMemberships('other', () => (heard.other += 1));
      const change = async () => {
        await storage.chats.createGroup(user('alice'), 'x', [userId]);
        bus.publishMembershipChange([userId]);
      };
      await change();
      await eventually(() => expect(Math.min(heard.one, heard.two)).toBeGreaterThan(0));
      stopTwo();
      stopTwo();
      const { one, two } = heard;
      await change();
      await eventually(() => expect(heard.one).toBeGreaterThan(one));
      expect([heard.two, heard.other]).toEqual([two, 0]);
      stopOne();
      const again = await hub.watchMemberships(userId, () => (heard.two += 1));
      stopOne();
      await change();
      await eventually(() => expect(heard.two).toBeGreaterThan(two));
      again();
    }
  });

  test('throws while the database is away, and works as soon as it is back', async () => {
    let away = true;
    const memberships = withFaults(storage.memberships, (real) => ({
      listVersions: (ids) => (away ? Promise.reject(storageUnavailable('away')) : real.listVersions(ids)),
    }));
    const bus = new MemoryBus();
    const hub = newHub({ memberships, bus });
    const attempts = await Promise.allSettled([1, 2].map(() => hub.watchMemberships('alice', () => {})));
    for (const attempt of attempts) expect(attempt).toMatchObject({ reason: { reason: 'STORAGE_UNAVAILABLE' } });
    away = false;
    let heard = 0;
    await hub.watchMemberships('alice', () => (heard += 1));
    bus.publishMembershipChange(['alice']);
    expect(heard).toBe(1);
  });
});
