import { expect, onTestFinished, test } from 'vitest';
import { query } from '../../embedded/testing/test-bench.ts';
import { startNats } from '../../servers/brokers.ts';
import { consume, readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { createTestBackup } from '../../testing/services/test-backup.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: real servers are copied, killed, promoted and restored.

test('after a failover that lost messages which were exported, a consumer ends with the history of the new primary', {
  timeout: 120_000,
}, async () => {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  const url = `nats://127.0.0.1:${nats.port}`;
  const servers = await ReplicatedPostgres.start();
  onTestFinished(() => servers.stop());
  const dsn = await servers.createDatabase('chat');
  const service = await startTestService({ NATS_URL: url, EXPORT: 'jetstream', WRITER_GIVE_UP_MS: '20000' }, { dsn });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const [written, silent, untouched, deleted, changed] = await Promise.all([1, 2, 3, 4, 5].map(() => newGroup(alice)));
  const all = [written!, silent!, untouched!, deleted!, changed!];
  const [, , , , message] = await Promise.all(all.map((chat) => say(alice, chat, 'kept')));
  const kept = { 1: '', 2: 'kept' };
  await eventually(async () => expect(await consume(url)).toEqual(Object.fromEntries(all.map(({ id }) => [id, kept]))));
  await servers.caughtUp();

  servers.disconnectStandby();
  for (const text of ['lost 3', 'lost 4', 'lost 5'])
    for (const chat of [written!, silent!]) await say(alice, chat, text);
  const lost = await newGroup(alice);
  await alice.chat.deleteChat({ chatId: deleted!.id });
  const change = { chatId: changed!.id, messageId: message!.messageId, reason: '' };
  await alice.chat.editMessage({ ...change, clientChangeId: 'edit', text: 'lost edit' });
  await alice.chat.deleteMessage({ ...change, clientChangeId: 'delete', hide: false });
  const lostTexts = { ...kept, 3: 'lost 3', 4: 'lost 4', 5: 'lost 5' };
  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: lostTexts,
      [silent!.id]: lostTexts,
      [untouched!.id]: kept,
      [changed!.id]: { ...kept, 2: '' },
      [lost.id]: { 1: '' },
    }),
  );

  await servers.killPrimary();
  await servers.promote();
  for (const text of ['new 3', 'new 4']) await say(alice, written!, text);

  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: { ...kept, 3: 'new 3', 4: 'new 4' },
      [silent!.id]: kept,
      [untouched!.id]: kept,
      [deleted!.id]: kept,
      [changed!.id]: kept,
    }),
  );
  // Where nothing was lost, nothing is repeated; each chat goes on.
  for (const chat of all) await say(alice, chat, 'later');
  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: { ...kept, 3: 'new 3', 4: 'new 4', 5: 'later' },
      [silent!.id]: { ...kept, 3: 'later' },
      [untouched!.id]: { ...kept, 3: 'later' },
      [deleted!.id]: { ...kept, 3: 'later' },
      [changed!.id]: { ...kept, 3: 'later' },
    }),
  );
  const ofUntouched = (await readExported(url)).filter(({ subject }) => subject.endsWith(untouched!.id));
  expect(ofUntouched.map(({ event, seq }) => `${event} ${seq}`)).toEqual(['message 1', 'message 2', 'message 3']);
});

test('after a restore of a backup a consumer ends with what the backup has, and goes on from there', {
  timeout: 120_000,
}, async () => {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  const url = `nats://127.0.0.1:${nats.port}`;
  const dsn = await createTestDatabase();
  const start = async () => {
    const service = await startTestService({ NATS_URL: url, EXPORT: 'jetstream' }, { dsn });
    onTestFinished(() => service.stop());
    return service;
  };
  const service = await start();
  const alice = await signIn(service.transport(), 'alice');
  const chat = await newGroup(alice);
  await say(alice, chat, 'kept');
  const backup = await createTestBackup();
  await backup.save(dsn);
  for (const text of ['lost 3', 'lost 4']) await say(alice, chat, text);
  const all = { 1: '', 2: 'kept', 3: 'lost 3', 4: 'lost 4' };
  await eventually(async () => expect(await consume(url)).toEqual({ [chat.id]: all }));
  await service.stop();
  const sessions = `select from pg_stat_activity where application_name like 'chat-%' and datname = current_database()`;
  await eventually(async () => expect(await query(dsn, sessions)).toEqual([]));

  await backup.restore(dsn, { replace: true });
  const again = personOf((await start()).transport(), alice);
  await eventually(async () => expect(await consume(url)).toEqual({ [chat.id]: { 1: '', 2: 'kept' } }));
  await say(again, chat, 'new 3');

  await eventually(async () => expect(await consume(url)).toEqual({ [chat.id]: { 1: '', 2: 'kept', 3: 'new 3' } }));
});
