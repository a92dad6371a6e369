import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { ConnectChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { newRoom, personOf, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { healthOf } from '../../testing/services/health.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

test('while the service drains, new calls are refused with a retry time and health reports it', async () => {
  const dsn = await createTestDatabase();
  const service = await ChildService.start({ POSTGRES_DSN: dsn, RECONNECT_SPREAD_MS: '0' });
  const alice = await signIn(transportTo(service.address), 'alice');
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
  await expect(transportTo(service.address).auth.guest({ name: 'late' }, {})).rejects.toMatchObject(refused);
  expect(await personOf(transportTo(service.address), alice).open().ended).toMatchObject(refused);
  expect(stream.all('closing')).toEqual([]);

  await lock.query('commit');

  expect(await call).toMatchObject({ seq: expect.any(Number) });
  expect(await stream.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  expect(stream.all('accepted').map(({ commandId }) => commandId)).toEqual(ids);
  expect(stream.events.at(-1)).toMatchObject({ $case: 'closing' });
  expect(await service.exited).toEqual({ code: 0, signal: null });
});

test('many clients that connect at the moment of SIGTERM do not delay the stop', async () => {
  const service = await ChildService.start({
    POSTGRES_DSN: await createTestDatabase(),
    RECONNECT_SPREAD_MS: '0',
    DRAIN_TIMEOUT_MS: '600000',
  });
  // The service has not seen these tokens yet, so it must verify each.
  const people = await Promise.all(Array.from({ length: 100 }, () => signIn(transportTo(service.address), 'comer')));

  const streams = people.map((person) => person.open());
  await streams[0]!.nextOf('welcome');
  service.signal('SIGTERM');

  expect(await service.exited).toEqual({ code: 0, signal: null });
  for (const { ended } of streams) expect(await ended).toMatchObject({ code: 'UNAVAILABLE' });
});

test('a reader that has stopped reading delays the stop for DRAIN_TIMEOUT_MS at most', async () => {
  const service = await ChildService.start({ POSTGRES_DSN: await createTestDatabase(), DRAIN_TIMEOUT_MS: '1000' });
  const alice = await signIn(transportTo(service.address), 'alice');
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
