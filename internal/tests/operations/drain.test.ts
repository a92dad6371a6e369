import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { CloseReason, ConnectChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { newRoom, personOf, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService, databasePid, newDataDir } from '../../testing/services/child-service.ts';
import { healthOf } from '../../testing/services/health.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

function connect(address: string) {
  const transport = grpcTransport(address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
  onTestFinished(() => transport.close());
  return transport;
}

test('SIGTERM under load: each stream gets a retry time, every accepted command is answered, and no process is left', async () => {
  const env = { DATA_DIR: await newDataDir(), GRPC_PORT: String(await freePort()), RECONNECT_SPREAD_MS: '2000' };
  const service = await ChildService.start(env);
  const people = await Promise.all(Array.from({ length: 8 }, () => signIn(connect(service.address), 'talker')));
  const room = await newRoom(people[0]!, ...people.slice(1));
  const streams = await Promise.all(people.map((person) => person.connect()));
  const idle = await people[0]!.connect();
  for (const stream of [...streams, idle]) await stream.ask(commands.subscribe(room.id));
  const calls = people.map((person) =>
    Promise.allSettled(Array.from({ length: 20 }, (_, i) => say(person, room, `call ${i}`))),
  );
  for (const stream of streams) for (let i = 0; i < 1_000; i += 1) stream.send(commands.send(room.id, `${i}`));
  await Promise.all(streams.map((stream) => stream.nextOf('accepted')));

  const database = databasePid(env.DATA_DIR);
  service.signal('SIGTERM');

  expect(await service.exited).toEqual({ code: 0, signal: null });
  expect(database).toBeDefined();
  expect(databasePid(env.DATA_DIR)).toBeUndefined();
  const waits = new Set<number>();
  for (const stream of [...streams, idle]) {
    expect(await stream.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    const last = stream.events.at(-1)!;
    expect(last).toMatchObject({ $case: 'closing', value: { reason: CloseReason.DRAINING } });
    waits.add(stream.all('closing')[0]!.retryAfterMs);
    expect(stream.all('rejected')).toEqual([]);
  }
  expect(waits.size).toBeGreaterThan(4);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2_000);

  // Exactly the acknowledged messages are stored: the service answered everything that it took.
  const answered = (await Promise.all(calls)).flat().flatMap((result) => {
    if (result.status === 'fulfilled') return [result.value];
    expect(result.reason).toMatchObject({ code: 'UNAVAILABLE' });
    return [];
  });
  const seqs = [...streams.flatMap((stream) => stream.all('accepted')), ...answered]
    .map(({ seq }) => seq)
    .filter((seq) => seq > 0);
  const again = await ChildService.start(env);
  const reader = await personOf(connect(again.address), people[0]!).connect();
  await reader.ask(commands.subscribe(room.id, 0));
  await reader.nextOf('caughtUp');
  const stored = reader.messages(room.id).filter(({ system }) => !system);
  expect(seqs.sort((a, b) => a - b)).toEqual(stored.map(({ seq }) => seq));
});

test('while the service drains, new calls are refused with a retry time and health reports it', async () => {
  const dsn = await createTestDatabase();
  const service = await ChildService.start({ POSTGRES_DSN: dsn, RECONNECT_SPREAD_MS: '0' });
  const alice = await signIn(connect(service.address), 'alice');
  const room = await newRoom(alice);
  const stream = await alice.connect();
  const lock = new pg.Client({ connectionString: dsn });
  await lock.connect();
  onTestFinished(() => lock.end());
  await lock.query('begin');
  await lock.query('select from chats where id = $1 for update', [room.id]);
  const ids = [1, 2, 3].map((i) => stream.send(commands.send(room.id, `held up ${i}`)));
  await stream.ask(commands.ping());
  const call = say(alice, room, 'held up too');
  call.catch(() => {});
  await alice.chat.getChat({ chatId: room.id });

  service.signal('SIGTERM');

  await eventually(async () => expect(await healthOf(service.address)).toBe('NOT_SERVING'));
  const refused = { code: 'UNAVAILABLE', reason: 'DRAINING', retryAfterMs: expect.any(Number) };
  await expect(alice.chat.listChats({})).rejects.toMatchObject(refused);
  await expect(connect(service.address).auth.guest({ name: 'late' }, {})).rejects.toMatchObject(refused);
  expect(await personOf(connect(service.address), alice).open().ended).toMatchObject(refused);
  expect(stream.all('closing')).toEqual([]);

  await lock.query('commit');

  expect(await call).toMatchObject({ seq: expect.any(Number) });
  expect(await stream.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  expect(stream.all('accepted').map(({ commandId }) => commandId)).toEqual(ids);
  expect(stream.events.at(-1)).toMatchObject({ $case: 'closing' });
  expect(await service.exited).toEqual({ code: 0, signal: null });
});

test('SDK clients lose nothing when the service is replaced', async () => {
  const env = {
    POSTGRES_DSN: await createTestDatabase(),
    GRPC_PORT: String(await freePort()),
    RECONNECT_SPREAD_MS: '200',
  };
  const service = await ChildService.start(env);
  const traffic = await Traffic.start(service.address, 5);
  onTestFinished(() => traffic.close());
  await traffic.flow(300);

  service.signal('SIGTERM');
  expect(await service.exited).toEqual({ code: 0, signal: null });
  await ChildService.start(env);

  await traffic.flow(300);
  await traffic.stop();
  await traffic.expectNothingLost();
  traffic.expectOwnOrder();
});

test('many clients that connect at the moment of SIGTERM do not delay the stop', async () => {
  const service = await ChildService.start({
    POSTGRES_DSN: await createTestDatabase(),
    RECONNECT_SPREAD_MS: '0',
    DRAIN_TIMEOUT_MS: '600000',
  });
  // The service has not seen these tokens yet, so it must verify each.
  const people = await Promise.all(Array.from({ length: 100 }, () => signIn(connect(service.address), 'comer')));

  const streams = people.map((person) => person.open());
  await streams[0]!.nextOf('welcome');
  service.signal('SIGTERM');

  expect(await service.exited).toEqual({ code: 0, signal: null });
  for (const { ended } of streams) expect(await ended).toMatchObject({ code: 'UNAVAILABLE' });
});

test('a reader that has stopped reading delays the stop for DRAIN_TIMEOUT_MS at most', async () => {
  const service = await ChildService.start({ POSTGRES_DSN: await createTestDatabase(), DRAIN_TIMEOUT_MS: '1000' });
  const alice = await signIn(connect(service.address), 'alice');
  const room = await newRoom(alice);
  const stalled = new RawClient(service.address).connect(alice.token);
  stalled.on('data', () => {});
  stalled.pause();
  const command = { commandId: '', command: commands.subscribe(room.id, 0) };
  stalled.write(ConnectChatRequest.encode({ commands: [command] }).finish());
  for (let i = 0; i < 40; i += 1) {
    await Promise.all(Array.from({ length: 20 }, () => say(alice, room, 'x'.repeat(4_000))));
  }

  service.signal('SIGTERM');

  expect(await service.exited).toEqual({ code: 0, signal: null });
});
