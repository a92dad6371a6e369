import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { analyze } from '../../testing/services/analyze.ts';
import { healthOf } from '../../testing/services/health.ts';
import { expectEachWrittenOnce } from '../../testing/services/ingest-check.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

// Slow: traffic that goes on while NATS or the database is killed, cut off or frozen.
let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

async function startService(env: Record<string, string>, options: Parameters<typeof startTestService>[1] = {}) {
  const service = await startTestService(env, options);
  onTestFinished(() => service.stop());
  return service;
}

async function startTraffic({ address }: TestService, clients = 3): Promise<Traffic> {
  const traffic = await Traffic.start(address, clients);
  onTestFinished(() => traffic.close());
  return traffic;
}

test('messages are accepted while the database is unreachable, and later each is written once, in order', async () => {
  const log = new LogLines();
  const network = await startTcpProxy(await createTestDatabase());
  const service = await startTestService(ingestEnv(nats), { dsn: network.dsn, log: log.logger });
  onTestFinished(async () => {
    await service.stop();
    await network.close();
  });
  const [alice, bob] = [await signIn(service.transport(), 'alice'), await signIn(service.transport(), 'bob')];
  const group = await newGroup(alice, bob);
  await say(alice, group, 'before');
  const stream = await alice.connect();
  const traffic = await startTraffic(service);
  await traffic.flow(100);
  await analyze(network.dsn);

  network.cut();

  // Accepted from open streams, and by calls of senders whose permission was checked recently.
  await traffic.flow(2_000);
  expect(await say(alice, group, 'meanwhile')).toMatchObject({ seq: 0 });
  await eventually(async () => expect(await healthOf(service.address, 'chat.database')).toBe('NOT_SERVING'));
  expect(await healthOf(service.address, 'chat.v1.ChatService')).toBe('SERVING');
  // Bob's permission in this chat was not checked recently.
  await expect(say(bob, group, 'unknown')).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE' });
  await expect(alice.chat.listChats({})).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE' });
  await traffic.flow(2_000);

  network.restore();

  await traffic.flow(500);
  await traffic.stop();
  await expectEachWrittenOnce(traffic);
  await eventually(async () => {
    const { messages } = await alice.chat.listMessages({ chatId: group.id, pageSize: 10 });
    expect(messages.filter(({ system }) => !system).map(({ text }) => text)).toEqual(['before', 'meanwhile']);
  });
  // Alice's stream is still open.
  expect(await stream.ask({ $case: 'ping', value: {} })).toMatchObject({ $case: 'pong' });
  expect(log.errors).toEqual([]);
});

test('when answers of the database are lost repeatedly, no message is lost or doubled', async () => {
  const network = await startTcpProxy(await createTestDatabase());
  const service = await startTestService(ingestEnv(nats), { dsn: network.dsn });
  onTestFinished(async () => {
    await service.stop();
    await network.close();
  });
  const traffic = await startTraffic(service);
  await traffic.flow(100);
  await analyze(network.dsn);
  for (let i = 0; i < 8; i += 1) {
    await traffic.flow(150);
    network.cut();
    network.restore();
  }
  await traffic.flow(150);
  await traffic.stop();
  await expectEachWrittenOnce(traffic);
});

test('when NATS is killed and restarted repeatedly, every send succeeds and no message is lost', async () => {
  const own = await startNats();
  onTestFinished(() => own.stop());
  const service = await startService({ ...ingestEnv(nats), NATS_URL: `nats://127.0.0.1:${own.port}` });
  const traffic = await startTraffic(service);
  for (let i = 0; i < 3; i += 1) {
    await traffic.flow(300);
    await own.kill();
    await own.restart();
  }
  await traffic.flow(300);
  await traffic.stop();
  await expectEachWrittenOnce(traffic, { refusals: true });
});

test.each(['cut', 'freeze'] as const)(
  'when answers of NATS are lost (%s), no message is lost or doubled',
  async (how) => {
    const env = ingestEnv(nats);
    const network = await startTcpProxy(env.NATS_URL!);
    const service = await startTestService({ ...env, NATS_URL: network.dsn });
    onTestFinished(async () => {
      await service.stop();
      await network.close();
    });
    const traffic = await startTraffic(service);
    for (let i = 0; i < (how === 'cut' ? 5 : 1); i += 1) {
      await traffic.flow(200);
      network[how]();
      network.restore();
    }
    await traffic.flow(200);
    await traffic.stop();
    await expectEachWrittenOnce(traffic, { refusals: true });
  },
);
