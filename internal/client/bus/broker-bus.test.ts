import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entryOf } from '../../model/entry.ts';
import type { Message } from '../../model/message.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { messagesOf } from '../../testing/messages-of.ts';
import { type BusBroker, busBrokers } from '../../testing/services/bus-brokers.ts';
import { BrokerBus, type BrokerBusOptions } from './broker-bus.ts';
import type { ChatPublication } from './bus.ts';
import { testBus } from './bus-conformance.ts';
import { chatTopic } from './topic-names.ts';

describe.each(Object.entries(busBrokers))('the bus over %s', (name, start) => {
  let broker: BusBroker;
  let lines: LogLines;
  const buses: BrokerBus[] = [];
  beforeAll(async () => {
    broker = await start();
  });
  afterAll(() => broker.stop());
  beforeEach(() => {
    lines = new LogLines();
  });
  afterEach(async () => {
    for (const bus of buses.splice(0)) await bus.close();
  });

  const connect = async (options: Partial<BrokerBusOptions> = {}, open = broker.open) => {
    const bus = await BrokerBus.start(
      { open, log: lines.logger },
      { pingIntervalMs: 200, pingTimeoutMs: 400, maxRetryMs: 200, ...options },
    );
    buses.push(bus);
    return bus;
  };

  const hear = async (bus: BrokerBus, chatId: string) => {
    const heard: ChatPublication[] = [];
    const unsubscribe = await bus.subscribeToChat(chatId, (publication) => heard.push(publication));
    return { heard, unsubscribe };
  };

  const countLosses = (bus: BrokerBus) => {
    const losses = { count: 0 };
    bus.onLoss(() => (losses.count += 1));
    return losses;
  };

  /** Each call of `expectFlow` publishes its own number. */
  let flows = 1_000_000;

  /** Publishes repeatedly until one publication arrives. */
  const expectFlow = async (from: BrokerBus, chatId: string, heard: ChatPublication[]) => {
    flows += 1;
    const seq = flows;
    await eventually(() => {
      from.publishToChat(chatId, { kind: 'head', seq });
      expect(heard).toContainEqual({ kind: 'head', seq });
    });
  };

  testBus(() => BrokerBus.start({ open: broker.open, log: pino({ level: 'silent' }) }));

  test('a publication reaches subscribers of its own node at once, and only once', async () => {
    const [here, there] = [await connect(), await connect()];
    const chatId = randomUUID();
    const [own, other] = [await hear(here, chatId), await hear(there, chatId)];
    here.publishToChat(chatId, { kind: 'head', seq: 1 });
    expect(own.heard).toEqual([{ kind: 'head', seq: 1 }]);
    await eventually(() => expect(other.heard).toHaveLength(1));
    there.publishToChat(chatId, { kind: 'head', seq: 2 });
    await eventually(() => expect(own.heard).toHaveLength(2));
    expect([own.heard.length, other.heard.length]).toEqual([2, 2]);
  });

  test('many publications of one turn arrive in their order', async () => {
    const [here, there] = [await connect(), await connect()];
    const chatIds = Array.from({ length: 50 }, () => randomUUID());
    const listeners = await Promise.all(chatIds.map((chatId) => hear(there, chatId)));
    for (let seq = 1; seq <= 40; seq += 1) {
      for (const chatId of chatIds) here.publishToChat(chatId, { kind: 'head', seq });
    }
    const expected = Array.from({ length: 40 }, (_, i) => ({ kind: 'head', seq: i + 1 }));
    for (const { heard } of listeners) await eventually(() => expect(heard).toEqual(expected));
  });

  test('messages that are too long together arrive in parts, and a single message that is too long as a head', async () => {
    const [here, there] = [await connect(), await connect()];
    const chatId = randomUUID();
    const { heard } = await hear(there, chatId);
    const small = (seq: number) => message(chatId, seq, 'ä'.repeat(1_000));
    const long = message(chatId, 9, '🎉'.repeat(400_000));
    here.publishToChat(chatId, {
      kind: 'entries',
      entries: [...[1, 2, 3, 4, 5, 6, 7, 8].map(small), long].map(entryOf),
    });
    const got = () => heard.flatMap(messagesOf);
    await eventually(() => expect(heard.at(-1)).toEqual({ kind: 'head', seq: 9 }));
    expect(got()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(small));
  });

  test('users and chats with any ids are kept apart', async () => {
    const [here, there] = [await connect(), await connect()];
    const ids = ['*', '>', 'a.b', 'a b', '', '\n', "';drop", '{x}', '日本', '=Kg', 'Kg', 'A', 'a', 'x'.repeat(512)];
    const heard: string[] = [];
    for (const id of ids) {
      await there.subscribeToChat(id, (publication) => publication.kind === 'head' && heard.push(`chat ${id}`));
      await there.subscribeToMemberships(id, () => heard.push(`user ${id}`));
    }
    for (const id of ids) {
      here.publishToChat(id, { kind: 'head', seq: 1 });
      here.publishMembershipChange([id]);
    }
    const expected = ids.flatMap((id) => [`chat ${id}`, `user ${id}`]).sort();
    await eventually(() => expect(heard.length).toBeGreaterThanOrEqual(expected.length));
    expect(heard.sort()).toEqual(expected);
  });

  test('bytes that cannot be decoded are ignored and logged', async () => {
    const there = await connect();
    const chatId = randomUUID();
    const { heard } = await hear(there, chatId);
    const link = await broker.open({ onMessage: () => {}, onRefusal: () => {} });
    const [origin, unknownKind] = [Buffer.from([0x0a, 1, 7]), Buffer.from([0x12, 3, 0xfa, 0x01, 0])];
    for (const bytes of [Buffer.from('nonsense'), Buffer.alloc(0), origin, Buffer.concat([origin, unknownKind])]) {
      await link.send([{ topic: chatTopic(chatId), bytes }]);
    }
    link.destroy();
    await expectFlow(await connect(), chatId, heard);
    expect(heard.every(({ kind }) => kind === 'head')).toBe(true);
    expect(lines.lines.filter(({ msg }) => msg === 'a publication from the bus could not be decoded')).toHaveLength(1);
  });

  test('a topic is subscribed to once, and unsubscribed from some time after its last subscriber', async () => {
    const calls: string[] = [];
    const there = await connect({ lingerMs: 300 }, async (events) => {
      const link = await broker.open(events);
      const record = (name: 'subscribe' | 'unsubscribe') => (topics: readonly string[]) => {
        calls.push(...topics.map((topic) => `${name} ${topic}`));
        return link[name](topics);
      };
      return { ...link, subscribe: record('subscribe'), unsubscribe: record('unsubscribe') };
    });
    const chatId = randomUUID();
    const topic = chatTopic(chatId);
    const [one, two] = await Promise.all([hear(there, chatId), hear(there, chatId)]);
    await one.unsubscribe();
    await two.unsubscribe();
    const three = await hear(there, chatId);
    expect(calls).toEqual([`subscribe ${topic}`]);
    await three.unsubscribe();
    await eventually(() => expect(calls).toEqual([`subscribe ${topic}`, `unsubscribe ${topic}`]));
    const four = await hear(there, chatId);
    await expectFlow(await connect(), chatId, four.heard);
    expect(calls).toEqual([`subscribe ${topic}`, `unsubscribe ${topic}`, `subscribe ${topic}`]);
  });

  test('a broker that dies causes no errors, and the bus works again after its restart', async () => {
    const [here, there] = [await connect(), await connect()];
    const chatId = randomUUID();
    const [own, other] = [await hear(here, chatId), await hear(there, chatId)];
    const losses = [countLosses(here), countLosses(there)];
    const states: string[] = [];
    there.onStateChange((state) => states.push(state));

    await broker.kill();
    await eventually(() => expect([here.state, there.state]).toEqual(['away', 'away']));
    for (let seq = 1; seq <= 100; seq += 1)
      here.publishToChat(chatId, { kind: 'entries', entries: [entryOf(message(chatId, seq))] });
    here.publishMembershipChange(['somebody']);
    const late = await hear(there, randomUUID());
    expect(own.heard).toHaveLength(100);

    await broker.restart();
    await eventually(() => expect([here.state, there.state]).toEqual(['connected', 'connected']));
    expect(losses.every(({ count }) => count > 0)).toBe(true);
    await expectFlow(here, chatId, other.heard);
    await late.unsubscribe();
    expect(states).toEqual(['away', 'connected']);
    const told = lines.lines.map(({ msg }) => msg);
    const away = 'the bus is unreachable: other nodes read new messages from the database';
    expect(told.filter((msg) => msg === away)).toHaveLength(2);
    // Two of these connections were made before the broker died.
    expect(told.filter((msg) => msg === 'the bus is connected')).toHaveLength(4);
  });

  test('after an outage of the broker, other nodes get the last number of each chat that was published meanwhile', async () => {
    const [here, there] = [await connect(), await connect({ maxRetryMs: 50 })];
    const chatId = randomUUID();
    const { heard } = await hear(there, chatId);
    // This node reconnects after the other one.
    const { promise: gate, resolve: pass } = Promise.withResolvers<void>();
    const slow = await connect({}, async (events) => {
      if (heard.length > 0) await gate;
      return broker.open(events);
    });
    await expectFlow(here, chatId, heard);
    await broker.kill();
    await eventually(() => expect(slow.state).toBe('away'));
    for (const seq of [2e9, 2e9 + 2, 2e9 + 1]) slow.publishToChat(chatId, { kind: 'head', seq });
    await broker.restart();
    await eventually(() => expect(there.state).toBe('connected'));
    pass();
    await eventually(() => expect(heard).toContainEqual({ kind: 'head', seq: 2e9 + 2 }));
    expect(heard).not.toContainEqual({ kind: 'head', seq: 2e9 + 1 });
  });

  test('a broker that freezes is noticed, blocks no caller, and uses bounded memory', async () => {
    const here = await connect({ maxBytes: 4_000_000, maxBatchBytes: 1_000_000 });
    const there = await connect();
    const chatId = randomUUID();
    const { heard } = await hear(there, chatId);
    const losses = countLosses(there);
    broker.freeze();
    try {
      const entries = [entryOf(message(chatId, 1, 'x'.repeat(4_000)))];
      for (let i = 0; i < 10_000; i += 1) here.publishToChat(chatId, { kind: 'entries', entries });
      await hear(there, randomUUID());
      if (name !== 'PostgreSQL') await eventually(() => expect([here.state, there.state]).toEqual(['away', 'away']));
      else await eventually(() => expect(losses.count).toBeGreaterThan(0));
    } finally {
      broker.thaw();
    }
    await eventually(() => expect([here.state, there.state]).toEqual(['connected', 'connected']));
    expect(losses.count).toBeGreaterThan(0);
    await expectFlow(here, chatId, heard);
    const slow = 'the bus is slow: publications are dropped, and other nodes read the messages from the database';
    expect(lines.lines.filter(({ msg }) => msg === slow)).toHaveLength(1);
  });

  test('the bus starts while its broker is unreachable, and subscriptions take effect once it is reachable', async () => {
    await broker.kill();
    const [here, there] = [await connect(), await connect()];
    expect(there.state).toBe('away');
    const losses = countLosses(there);
    const chatId = randomUUID();
    const { heard } = await hear(there, chatId);
    here.publishToChat(chatId, { kind: 'deleted' });
    await broker.restart();
    await eventually(() => expect(there.state).toBe('connected'));
    expect(losses.count).toBe(1);
    await expectFlow(here, chatId, heard);
  });

  test('publications made right before close arrive', async () => {
    const [here, there] = [await connect(), await connect()];
    const chatId = randomUUID();
    const { heard } = await hear(there, chatId);
    here.publishToChat(chatId, { kind: 'head', seq: 1 });
    await here.close();
    await here.close();
    await eventually(() => expect(heard).toEqual([{ kind: 'head', seq: 1 }]));
    here.publishToChat(chatId, { kind: 'head', seq: 2 });
  });
});

function message(chatId: string, seq: number, text = `${seq}`): Message {
  const sender = { id: 'alice', name: 'Alice' };
  const createdAt = new Date(1_700_000_000_000 + seq);
  return { id: `id ${seq}`, chatId, seq, updateSeq: seq, sender, clientMessageId: `${seq}`, text, createdAt };
}
