import { expect, onTestFinished, test } from 'vitest';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { newRoom, personOf, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { ChildService, databasePid, newDataDir } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

// Slow: thousands of messages, and the service starts twice.
test('SIGTERM under load: each stream gets a retry time, every accepted command is answered, and no process is left', async () => {
  const env = {
    DATA_DIR: await newDataDir(),
    GRPC_PORT: String(await freePort()),
    RECONNECT_SPREAD_MS: '2000',
    DRAIN_TIMEOUT_MS: '120000',
  };
  const service = await ChildService.start(env);
  const people = await Promise.all(Array.from({ length: 8 }, () => signIn(transportTo(service.address), 'talker')));
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
  const reader = await personOf(transportTo(again.address), people[0]!).connect();
  await reader.ask(commands.subscribe(room.id, 0));
  await reader.nextOf('caughtUp');
  const stored = reader.messages(room.id).filter(({ system }) => !system);
  expect(seqs.sort((a, b) => a - b)).toEqual(stored.map(({ seq }) => seq));
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
