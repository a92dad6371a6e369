import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { healthOf } from '../../testing/services/health.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: traffic that goes on while PostgreSQL is killed, cut off or silent.
let dataDir: string;
let database: EmbeddedPostgres;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'chat-outage-'));
  database = await EmbeddedPostgres.start({ dataDir });
});
afterAll(async () => {
  await database.stop();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
});

async function startTraffic(address: string, clients: number): Promise<Traffic> {
  const traffic = await Traffic.start(address, clients);
  onTestFinished(() => traffic.close());
  return traffic;
}

test('repeated kills of PostgreSQL lose no acknowledged message, and every send succeeds', async () => {
  const log = new LogLines();
  const service = await startTestService({}, { dsn: database.dsn, log: log.logger });
  onTestFinished(() => service.stop());
  const traffic = await startTraffic(service.address, 4);

  for (let i = 0; i < 3; i += 1) {
    await traffic.flow(300);
    const killed = database.pid;
    process.kill(killed, 'SIGKILL');
    await eventually(() => expect(database.pid).not.toBe(killed));
  }
  await traffic.flow(300);
  await traffic.stop();

  await traffic.expectNothingLost();
  traffic.expectOwnOrder();
  expect(log.errors).toEqual([]);
});

test('while the database is unreachable, calls are refused with a retry time and health reports it; later all works again', async () => {
  const log = new LogLines();
  const network = await startTcpProxy(database.dsn);
  const service = await startTestService(
    { WRITER_GIVE_UP_MS: '2500', CALL_TIMEOUT_MS: '5000' },
    { dsn: network.dsn, log: log.logger },
  );
  onTestFinished(async () => {
    await service.stop();
    await network.close();
  });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const traffic = await startTraffic(service.address, 2);
  await traffic.flow(100);
  expect(await healthOf(service.address)).toBe('SERVING');

  network.cut();
  process.kill(database.pid, 'SIGKILL');

  const away = { code: 'UNAVAILABLE', reason: 'STORAGE_UNAVAILABLE', retryAfterMs: expect.any(Number) };
  await expect(alice.chat.listChats({})).rejects.toMatchObject(away);
  await expect(say(alice, group, 'unheard')).rejects.toMatchObject(away);
  await expect(alice.chat.joinRoom({ name: 'global' })).rejects.toMatchObject(away);
  await eventually(async () => expect(await healthOf(service.address, 'chat.v1.ChatService')).toBe('NOT_SERVING'));
  expect(await healthOf(service.address)).toBe('NOT_SERVING');
  // A client that connects now waits, and connects without an error.
  const late = service.client('latecomer');

  network.restore();

  await eventually(async () => expect(await healthOf(service.address)).toBe('SERVING'));
  // The clients send at full speed again, even after many refusals.
  await traffic.flow(100);
  expect((await late).state.kind).toBe('online');
  await traffic.stop();
  await traffic.expectNothingLost();
  await expect(say(alice, group, 'heard')).resolves.toMatchObject({ seq: expect.any(Number) });
  expect(log.errors).toEqual([]);
});

test('connections on which the database does not answer are closed and not used again', async () => {
  const network = await startTcpProxy(database.dsn);
  const service = await startTestService({ WRITER_GIVE_UP_MS: '2500', CALL_TIMEOUT_MS: '5000' }, { dsn: network.dsn });
  onTestFinished(async () => {
    await service.stop();
    await network.close();
  });
  const traffic = await startTraffic(service.address, 2);
  await traffic.flow(100);

  network.freeze();

  await traffic.flow(100);
  await traffic.stop();
  await traffic.expectNothingLost();
});
