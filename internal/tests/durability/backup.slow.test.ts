import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { migrationsFolder } from '../../app/database/open-database.ts';
import { query } from '../../embedded/testing/test-bench.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import { personOf, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService, newDataDir } from '../../testing/services/child-service.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { runProgram } from '../../testing/services/run-program.ts';
import { createTestBackup } from '../../testing/services/test-backup.ts';
import { createEmptyDatabase } from '../../testing/services/test-database.ts';

// Slow: the service runs under load, its database is created twice, and a server is copied.

function connectTo({ address }: ChildService) {
  const transport = grpcTransport(address);
  onTestFinished(() => transport.close());
  return transport;
}

test('a backup under load has what was acknowledged before it, and after a restore readers are told where it ends', {
  timeout: 240_000,
}, async () => {
  const env = { DATA_DIR: await newDataDir() };
  const { path } = await createTestBackup();
  const service = await ChildService.start(env);
  const traffic = await Traffic.start(service.address, 3);
  onTestFinished(() => traffic.close());
  const { room } = traffic;
  const alice = await signIn(connectTo(service), 'alice');
  await alice.chat.joinRoom({ name: room.name });
  await traffic.flow(1_000);

  const before = traffic.sent.flat();
  const backedUp = await runProgram('backup', [path, '--json'], env);
  expect(backedUp).toMatchObject({ code: 0, stderr: '' });
  await traffic.flow(1_000);
  await traffic.stop();
  const reader = await alice.connect();
  await reader.ask(commands.subscribe(room.id, 0));
  const { headSeq, epoch } = await reader.nextOf('subscribed');
  await reader.until(() => reader.messages(room.id).at(-1)?.seq === headSeq);

  const tooEarly = await runProgram('restore', [path, '--replace'], env);
  expect([tooEarly.code, tooEarly.stderr]).toEqual([1, expect.stringContaining('error: the database is in use')]);
  service.signal('SIGTERM');
  await service.exited;
  await rm(join(env.DATA_DIR, 'postgres'), { recursive: true });
  const restored = await runProgram('restore', [path], env);
  expect([restored.code, restored.stdout]).toEqual([
    0,
    expect.stringMatching(/^restored .* in the new epoch \w{32}\n/),
  ]);

  const again = await ChildService.start(env);
  const same = personOf(connectTo(again), alice);
  const fresh = await same.connect();
  await fresh.ask(commands.subscribe(room.id, 0));
  const { headSeq: lastKept } = await fresh.nextOf('subscribed');
  await fresh.until(() => fresh.messages(room.id).at(-1)?.seq === lastKept);
  const kept = fresh.messages(room.id);
  // The backup is a part of the history from its beginning, and has at least what was acknowledged before it began.
  expect(kept).toEqual(reader.messages(room.id).slice(0, kept.length));
  expect(kept.length).toBeLessThan(reader.messages(room.id).length);
  const ids = new Set(kept.map(({ id }) => id));
  expect(before.filter(({ messageId }) => !ids.has(messageId))).toEqual([]);
  const { rows } = JSON.parse(backedUp.stdout) as { rows: Record<string, number> };
  expect(rows.messages).toBe(kept.length);

  const returning = await same.connect();
  await returning.ask(commands.subscribe(room.id, headSeq, epoch));
  expect(await returning.nextOf('reset')).toMatchObject({ chatId: room.id, fromSeq: lastKept });
  const { seq } = await say(same, room, 'after the restore');
  expect(seq).toBe(lastKept + 1);
  await eventually(() => expect(returning.messages(room.id)).toMatchObject([{ seq, text: 'after the restore' }]));
});

test('the database of a service that is stopped is started for the backup and for the restore', async () => {
  const env = { DATA_DIR: await newDataDir() };
  const { path, parent } = await createTestBackup();
  expect((await runProgram('account', ['alice'], env)).code).toBe(0);
  expect((await runProgram('backup', [path], env)).code).toBe(0);
  expect((await runProgram('account', ['bob'], env)).code).toBe(0);

  const refused = await runProgram('restore', [path], env);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/not empty \(rows: auth\.accounts 2,.*--replace/),
  ]);
  const replaced = await runProgram('restore', [path, '--replace', '--json'], env);

  expect(JSON.parse(replaced.stdout)).toMatchObject({
    replaced: { 'auth.accounts': 2 },
    backup: { rows: { 'auth.accounts': 1 } },
  });
  expect((await runProgram('account', ['--list'], env)).stdout).toMatch(/^alice .*\n$/);
  expect(await readdir(parent)).toEqual(['backup']);
});

test('a backup is read from a standby', { timeout: 120_000 }, async () => {
  const servers = await ReplicatedPostgres.start();
  onTestFinished(() => servers.stop());
  const dsn = await servers.createDatabase('chat');
  await migrate(dsn, migrationsFolder);
  await query(dsn, `insert into chats (id, type, created_by) values (gen_random_uuid(), 'GROUP', 'alice')`);
  await servers.caughtUp();
  const backup = await createTestBackup();
  await backup.save(servers.standby.dsn('chat'));
  const empty = await createEmptyDatabase('');
  await backup.restore(empty);
  expect(await query(empty, 'select created_by from chats')).toEqual([{ created_by: 'alice' }]);
});
