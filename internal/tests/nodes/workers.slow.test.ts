import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, guest } from '../../../pkg/chat-client/index.ts';
import { isAlive } from '../../embedded/system/process-state.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService, databasePid, newDataDir } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

// Slow: each test starts a service of three processes, and several of them die and start again.

/** Connects `count` clients. Workers get connections in turn, so a few clients reach all workers. */
async function connected(address: string, count: number) {
  const clients = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const transport = grpcTransport(address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
      const client = new ChatClient({ transport, token: guest(uniqueName(`user${i}`)) });
      onTestFinished(() => client.close());
      await client.connect();
      const texts: string[] = [];
      client.on('message', ({ system, text }) => system ?? texts.push(text));
      return { client, texts };
    }),
  );
  return clients;
}

const workersOf = (service: ChildService) =>
  service.logs.filter(({ msg }) => msg === 'a worker is ready').map(({ worker }) => worker as number);

test('workers share the ports; a killed worker is replaced, and no client misses a message', async () => {
  const service = await ChildService.start({
    WORKERS: '2',
    POSTGRES_DSN: await createTestDatabase(),
    REPAIR_INTERVAL_MS: '200',
  });
  const clients = await connected(service.address, 4);
  const [first] = clients;
  const { id, name } = await first!.client.joinRoom(uniqueName('room'));
  await Promise.all(clients.slice(1).map(({ client }) => client.joinRoom(name)));
  const workers = workersOf(service);
  expect(workers).toHaveLength(2);

  const sent: string[] = [];
  const sendAll = async (round: string) => {
    const texts = clients.map((_, i) => `${round} ${i}`);
    await Promise.all(clients.map(({ client }, i) => client.send(id, texts[i]!)));
    sent.push(...texts);
  };
  await sendAll('before');
  const underWay = sendAll('meanwhile');
  process.kill(workers[0]!, 'SIGKILL');
  await underWay;
  await eventually(() => expect(workersOf(service)).toHaveLength(3));
  await sendAll('after');
  await eventually(() => {
    for (const { texts } of clients) expect(texts.toSorted()).toEqual(sent.toSorted());
    for (const { texts } of clients) expect(texts).toEqual(first!.texts);
  });
  expect(service.logs).toContainEqual(expect.objectContaining({ msg: 'a worker died: starting another' }));
});

test('the pauses before restarts of a worker that dies repeatedly grow', async () => {
  const service = await ChildService.start({ WORKERS: '2', POSTGRES_DSN: await createTestDatabase() });
  for (let deaths = 1; deaths <= 3; deaths += 1) {
    process.kill(workersOf(service).at(-1)!, 'SIGKILL');
    await eventually(() => expect(workersOf(service)).toHaveLength(2 + deaths));
  }
  const died = service.logs.filter(({ msg }) => msg === 'a worker died: starting another');
  expect(died.map(({ afterMs }) => afterMs)).toEqual([100, 200, 400]);
});

test('workers share the bundled database, and stop with the process that started them', async () => {
  const dataDir = await newDataDir();
  const service = await ChildService.start({ WORKERS: '2', DATA_DIR: dataDir });
  const workers = workersOf(service);
  expect(workers.map(isAlive)).toEqual([true, true]);
  service.signal('SIGTERM');
  expect(await service.exited).toEqual({ code: 0, signal: null });
  expect(workers.map(isAlive)).toEqual([false, false]);
  expect(databasePid(dataDir)).toBeUndefined();
});

test('workers exit when the process that started them is killed', async () => {
  const service = await ChildService.start({ WORKERS: '2', POSTGRES_DSN: await createTestDatabase() });
  const workers = workersOf(service);
  service.signal('SIGKILL');
  await eventually(() => expect(workers.map(isAlive)).toEqual([false, false]));
});

test('if the workers cannot start, the service exits with the reason', async () => {
  const service = ChildService.spawn({ WORKERS: '2', POSTGRES_DSN: 'postgres://nobody@127.0.0.1:1/none' });
  expect(await service.exited).toEqual({ code: 1, signal: null });
  expect(service.stderr).toContain('cannot use the database');
});

test('several workers without a bus are refused', async () => {
  const service = ChildService.spawn({ WORKERS: '2', BUS_URL: 'memory:' });
  expect(await service.exited).toEqual({ code: 2, signal: null });
  expect(service.stderr).toContain('WORKERS above 1 need a bus');
});

test('SIGHUP changes a setting in all workers, also in those that start later', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-settings-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'chat.env');
  await writeFile(file, 'MAX_TEXT_LENGTH=100');
  const service = await ChildService.start({
    WORKERS: '2',
    POSTGRES_DSN: await createTestDatabase(),
    CONFIG_FILE: file,
  });
  const [alice] = await connected(service.address, 1);
  const { id } = await alice!.client.joinRoom(uniqueName('room'));
  const before = await connected(service.address, 4);
  await writeFile(file, 'MAX_TEXT_LENGTH=3\nPOSTGRES_POOL_SIZE=4');
  service.signal('SIGHUP');
  const isRefused = async ({ client }: { client: ChatClient }) => {
    await expect(client.send(id, 'four')).rejects.toThrow('must have at most 3 characters');
  };
  await eventually(() => Promise.all(before.map(isRefused)));
  process.kill(workersOf(service)[0]!, 'SIGKILL');
  await eventually(() => expect(workersOf(service)).toHaveLength(3));
  await eventually(async () => Promise.all((await connected(service.address, 4)).map(isRefused)));
  const told = service.logs.filter(({ msg }) => msg === 'POSTGRES_POOL_SIZE has changed: needs a restart');
  expect(told).toHaveLength(1);
});

test('each worker can be asked about itself, also one that replaces another', async () => {
  const service = await ChildService.start({
    WORKERS: '2',
    POSTGRES_DSN: await createTestDatabase(),
    ADMIN: 'true',
    ADMIN_PORT: '0',
  });
  const url = /metrics +(\S+)\/metrics/.exec(service.stderr)?.[1];
  const pidOf = async (worker: number) => {
    const response = await fetch(`${url}/debug/event-loop?worker=${worker}`);
    return ((await response.json()) as { pid: number }).pid;
  };
  const pids = [await pidOf(0), await pidOf(1), await pidOf(2)];
  expect(pids[0]).toBe(service.pid);
  expect(pids.slice(1).toSorted()).toEqual(workersOf(service).toSorted());

  const profile = await fetch(`${url}/debug/cpu-profile?seconds=1&worker=2`, { method: 'POST' });
  expect(profile.headers.get('content-disposition')).toContain(`chat-${pids[2]}-`);
  expect(((await profile.json()) as { samples: number[] }).samples.length).toBeGreaterThan(0);
  const snapshot = await fetch(`${url}/debug/heap-snapshot?worker=1`, { method: 'POST' });
  expect(((await snapshot.json()) as { nodes: number[] }).nodes.length).toBeGreaterThan(10_000);
  const unknown = await fetch(`${url}/debug/event-loop?worker=3`);
  expect([unknown.status, await unknown.text()]).toEqual([
    400,
    expect.stringContaining('worker must be a whole number from 0 to 2'),
  ]);

  process.kill(pids[1]!, 'SIGKILL');
  await eventually(async () => expect(workersOf(service)).toContain(await pidOf(1)));
  expect(await pidOf(1)).not.toBe(pids[1]);
});

test('the metrics of all workers are added up', async () => {
  const service = await ChildService.start({
    WORKERS: '2',
    POSTGRES_DSN: await createTestDatabase(),
    ADMIN: 'true',
    ADMIN_PORT: '0',
  });
  const clients = await connected(service.address, 4);
  const { id, name } = await clients[0]!.client.joinRoom(uniqueName('room'));
  await Promise.all(clients.slice(1).map(({ client }) => client.joinRoom(name)));
  await Promise.all(clients.map(({ client }) => client.send(id, 'text')));

  const url = /metrics +(\S+)/.exec(service.stderr)?.[1];
  const text = await (await fetch(url!)).text();
  expect(text).toMatch(/^chat_messages_saved_total 4$/m);
  expect(text).toMatch(/^chat_sessions\{transport="grpc"\} 4$/m);
  expect(await (await fetch(url!.replace('/metrics', '/readyz'))).json()).toEqual({ ready: true, reasons: [] });
});
