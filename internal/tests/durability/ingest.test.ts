import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { analyze } from '../../testing/services/analyze.ts';
import { healthOf } from '../../testing/services/health.ts';
import { expectEachWrittenOnce } from '../../testing/services/ingest-check.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

let lastStream = 0;
/** Settings of ingest with a stream that no other test uses. */
function byStream(): Record<string, string> {
  lastStream += 1;
  return {
    INGEST: 'jetstream',
    NATS_URL: `nats://127.0.0.1:${nats.port}`,
    INGEST_STREAM: `STREAM_${lastStream}`,
    INGEST_PARTITIONS: '4',
  };
}

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

test('a message is acknowledged without a number, and delivered once and in order with its number', async () => {
  const service = await startService(byStream());
  const traffic = await startTraffic(service);
  await traffic.flow(1_000);
  await traffic.stop();
  expect(traffic.sent.flat().every(({ seq }) => seq === 0)).toBe(true);
  await expectEachWrittenOnce(traffic);
});

test('before it is written, a message is distinguished from a repetition and from another one with the same id', async () => {
  const service = await startService({ ...byStream(), ROLES: 'grpc,gateway,auth' });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const send = (text: string) => alice.chat.sendMessage({ chatId: group.id, text, clientMessageId: 'one' });

  const first = await send('hello');
  expect(first).toMatchObject({ seq: 0, messageId: expect.any(String) });
  expect(await send('hello')).toEqual(first);
  await expect(send('something else')).rejects.toMatchObject({ reason: 'MESSAGE_ID_REUSED' });
});

test('messages are accepted while the database is unreachable, and later each is written once, in order', async () => {
  const log = new LogLines();
  const network = await startTcpProxy(await createTestDatabase());
  const service = await startTestService(
    { ...byStream(), CALL_TIMEOUT_MS: '2000', WRITER_GIVE_UP_MS: '1500' },
    { dsn: network.dsn, log: log.logger },
  );
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
  const service = await startTestService(byStream(), { dsn: network.dsn });
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

test('an accepted message is written, with its time of acceptance, even if its sender was removed meanwhile', async () => {
  const env = byStream();
  const service = await startService({ ...env, ROLES: 'grpc,gateway,auth' });
  const [alice, bob] = [await signIn(service.transport(), 'alice'), await signIn(service.transport(), 'bob')];
  const group = await newGroup(alice, bob);
  const receipt = await say(bob, group, 'last words');
  await alice.chat.removeMember({ chatId: group.id, userId: bob.id });
  await expect(say(bob, group, 'more')).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  // Waits, so that the time of acceptance differs from the time of writing.
  await eventually(() => expect(Date.now() - receipt.createdAt!.getTime()).toBeGreaterThan(1_500));

  await startService({ ...env, POSTGRES_DSN: service.dsn });

  const written = await eventually(() => alice.chat.getMessage({ chatId: group.id, messageId: receipt.messageId }));
  expect(written.message).toMatchObject({ text: 'last words', createdAt: receipt.createdAt });
});

test('an accepted message is dropped when its chat has been deleted', async () => {
  const env = byStream();
  const log = new LogLines();
  const service = await startService({ ...env, ROLES: 'grpc,gateway,auth' });
  const alice = await signIn(service.transport(), 'alice');
  const [doomed, other] = [await newGroup(alice), await newGroup(alice)];
  await say(alice, doomed, 'too late');
  const receipt = await say(alice, other, 'in time');
  await alice.chat.deleteChat({ chatId: doomed.id });

  await startService({ ...env, POSTGRES_DSN: service.dsn }, { log: log.logger });

  await eventually(() => alice.chat.getMessage({ chatId: other.id, messageId: receipt.messageId }));
  await eventually(() => expect(log.lines).toContainEqual(expect.objectContaining({ level: 40, chatId: doomed.id })));
  expect(log.errors).toEqual([]);
});

test('when NATS is killed and restarted repeatedly, every send succeeds and no message is lost', async () => {
  const own = await startNats();
  onTestFinished(() => own.stop());
  const service = await startService({ ...byStream(), NATS_URL: `nats://127.0.0.1:${own.port}` });
  const traffic = await startTraffic(service);
  for (let i = 0; i < 3; i += 1) {
    await traffic.flow(300);
    await own.kill();
    await own.restart();
  }
  await traffic.flow(300);
  await traffic.stop();
  await expectEachWrittenOnce(traffic);
});

test.each(['cut', 'freeze'] as const)(
  'when answers of NATS are lost (%s), no message is lost or doubled',
  async (how) => {
    const env = byStream();
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
    await expectEachWrittenOnce(traffic);
  },
);

test('a service that is stopped and restarted loses nothing', async () => {
  const env = byStream();
  const service = await startTestService(env);
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const sends = Array.from({ length: 200 }, (_, i) => say(alice, group, `${i}`));
  const receipts = await Promise.all(sends);
  await service.stop();

  const again = await startService({ ...env, POSTGRES_DSN: service.dsn });
  const same = personOf(again.transport(), alice);
  await eventually(async () => {
    const { messages } = await same.chat.listMessages({ chatId: group.id, afterSeq: 1, pageSize: 200 });
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(receipts.map(({ messageId }) => messageId)));
  });
});

test('a start with another number of partitions fails and says what to set', async () => {
  const env = byStream();
  const service = await startService(env);
  await expect(startTestService({ ...env, INGEST_PARTITIONS: '8', POSTGRES_DSN: service.dsn })).rejects.toThrow(
    /has 4 partitions, which cannot be changed: set INGEST_PARTITIONS=4$/,
  );
});

test('a full JetStream stream refuses messages with a retry time', async () => {
  const service = await startService({ ...byStream(), INGEST_MAX_BYTES: '65536' });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const flood = async () => {
    for (;;) await say(alice, group, 'x'.repeat(3_000));
  };
  await expect(flood()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'WRITER_BUSY',
    retryAfterMs: expect.any(Number),
  });
});
