import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { eventually } from '../../testing/eventually.ts';
import { analyze } from '../../testing/services/analyze.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { healthOf } from '../../testing/services/health.ts';
import { expectEachWrittenOnce } from '../../testing/services/ingest-check.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: writers are killed or paused under traffic, and others must miss their heartbeats.
let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

let lastStream = 0;
/** Returns settings of a service and its writers, with a new database and stream. */
async function newSettings(): Promise<Record<string, string>> {
  lastStream += 1;
  return {
    POSTGRES_DSN: await createTestDatabase(),
    BUS_URL: `nats://127.0.0.1:${nats.port}`,
    BUS_PREFIX: `test${lastStream}`,
    INGEST: 'jetstream',
    INGEST_STREAM: `STREAM_${lastStream}`,
    INGEST_PARTITIONS: '4',
    WRITER_MAX_BATCH: '50',
  };
}

/** Starts a service that only accepts messages, and clients that send to it. */
async function startTraffic(settings: Record<string, string>, clients = 3): Promise<Traffic> {
  const service = await startTestService({ ...settings, ROLES: 'grpc,gateway,auth' });
  onTestFinished(() => service.stop());
  const traffic = await Traffic.start(service.address, clients, 10);
  onTestFinished(() => traffic.close());
  return traffic;
}

/** Resolves when `count` more messages have been written and delivered. */
async function hear(traffic: Traffic, count: number): Promise<void> {
  const [heard] = traffic.heard;
  const goal = heard!.length + count;
  await eventually(() => expect(heard!.length).toBeGreaterThan(goal));
}

const startWriter = (settings: Record<string, string>) => ChildService.start(settings, 'message-writer');

/** Starts a writer and waits until it has written messages. Then analyzes the tables, so that the next writer gets good query plans. */
async function startFirstWriter(settings: Record<string, string>, traffic: Traffic): Promise<ChildService> {
  const writer = await startWriter(settings);
  await hear(traffic, 200);
  await analyze(settings.POSTGRES_DSN!);
  return writer;
}

test('when writers are killed, others take over, and each message is written once, in order', async () => {
  const settings = await newSettings();
  const traffic = await startTraffic(settings);
  let writer = await startFirstWriter(settings, traffic);
  for (let i = 0; i < 3; i += 1) {
    const other = await startWriter(settings);
    await hear(traffic, 200);
    writer.signal('SIGKILL');
    writer = other;
  }
  await hear(traffic, 200);
  await traffic.stop();
  await expectEachWrittenOnce(traffic);
});

test('a writer that lost its partitions during a pause does no harm when it continues', async () => {
  const settings = await newSettings();
  const traffic = await startTraffic(settings);
  const paused = await startFirstWriter(settings, traffic);
  const other = await startWriter(settings);
  for (let i = 0; i < 2; i += 1) {
    await hear(traffic, 200);
    paused.signal('SIGSTOP');
    // The other writer writes everything that was accepted until now.
    const goal = traffic.acknowledged;
    await eventually(() => expect(traffic.heard[0]!.length).toBeGreaterThanOrEqual(goal));
    paused.signal('SIGCONT');
  }
  await hear(traffic, 200);
  await traffic.stop();
  await expectEachWrittenOnce(traffic);
  for (const { logs } of [paused, other]) expect(logs.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('a writer says what it does, reports its health, and releases its partitions on SIGTERM', async () => {
  const settings = await newSettings();
  const traffic = await startTraffic(settings, 1);
  const writer = await startFirstWriter(settings, traffic);
  expect(writer.stderr).toContain(`from the stream ${settings.INGEST_STREAM} to PostgreSQL`);
  await eventually(async () => expect(await healthOf(writer.address)).toBe('SERVING'));

  writer.signal('SIGTERM');

  expect(await writer.exited).toEqual({ code: 0, signal: null });
  await startWriter(settings);
  await hear(traffic, 100);
  await traffic.stop();
  await expectEachWrittenOnce(traffic);
});
