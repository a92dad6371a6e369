import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BrokerBus } from '../../client/bus/broker-bus.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { type BusBroker, busBrokers } from '../../testing/services/bus-brokers.ts';
import { healthOf } from '../../testing/services/health.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

// Slow: traffic on three nodes while the broker is killed and frozen.
const repairIntervalMs = 500;

describe.each(Object.entries(busBrokers))('three nodes whose bus is %s', (_name, start) => {
  let broker: BusBroker;
  let log: LogLines;
  let nodes: [TestService, TestService, TestService];

  beforeAll(async () => {
    broker = await start();
    const dsn = await createTestDatabase();
    log = new LogLines();
    const node = async () => {
      // Only the broker is killed: the nodes reach their database directly.
      const bus = await BrokerBus.start(
        { open: broker.open, log: log.logger },
        { pingIntervalMs: 500, pingTimeoutMs: 500 },
      );
      const env = { REPAIR_INTERVAL_MS: `${repairIntervalMs}` };
      return startTestService(env, { dsn, bus, log: pino({ level: 'silent' }) });
    };
    nodes = [await node(), await node(), await node()];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await broker.stop();
  });
  beforeEach(async () => {
    for (const { url } of nodes) await eventually(async () => expect(await busOf(url)).toBe('connected'));
  });

  const busOf = async (url: string) => ((await (await fetch(`${url}/readyz`)).json()) as { bus: string }).bus;

  test('while the bus is unreachable, repairs deliver messages, and the nodes stay ready and report the outage', async () => {
    const alice = await signIn(nodes[0].transport(), 'alice');
    const group = await newGroup(alice);
    const readers = await Promise.all(
      nodes.slice(1).map(async (node) => {
        const reader = await personOf(node.transport(), alice).connect();
        await reader.ask(commands.subscribe(group.id, 0));
        await reader.nextOf('caughtUp');
        return reader;
      }),
    );
    await broker.kill();
    for (const { address, url } of nodes) {
      await eventually(async () => expect(await busOf(url)).toBe('away'));
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      expect(await healthOf(address)).toBe('SERVING');
      expect(await healthOf(address, 'chat.bus')).toBe('NOT_SERVING');
    }
    // Only repairs can deliver these messages.
    for (let n = 0; n < 10; n += 1) {
      const { seq } = await say(alice, group, `${n}`);
      await Promise.all(readers.map((reader) => reader.until(() => reader.messages(group.id).at(-1)?.seq === seq)));
    }

    await broker.restart();
    for (const { address } of nodes) {
      await eventually(async () => expect(await healthOf(address, 'chat.bus')).toBe('SERVING'));
    }
    expect(log.errors).toEqual([]);
  });

  test('kills and freezes of the broker under traffic lose, double and reorder nothing', async () => {
    const traffic = await Traffic.start(
      nodes.map(({ address }) => address),
      6,
      5,
    );
    onTestFinished(() => traffic.close());
    for (let i = 0; i < 3; i += 1) {
      await traffic.flow(100);
      await broker.kill();
      await traffic.flow(100);
      await broker.restart();
    }
    await traffic.flow(100);
    broker.freeze();
    try {
      await traffic.flow(300);
    } finally {
      broker.thaw();
    }
    await traffic.flow(100);
    await traffic.stop();
    await traffic.expectNothingLost();
    traffic.expectOwnOrder();
    expect(log.errors).toEqual([]);
  });
});
