// Slow: it starts PostgreSQL servers, and crashes, promotes and restores them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrationsFolder } from '../../../app/database/open-database.ts';
import { PostgresProcess } from '../../../servers/postgres-process.ts';
import { eventually } from '../../../testing/eventually.ts';
import { ReplicatedPostgres } from '../../../testing/services/replicated-postgres.ts';
import { user } from '../../../testing/services/test-storage.ts';
import { PostgresBanRepository } from '../bans/postgres-ban-repository.ts';
import { migrate } from '../migrations/migrate.ts';
import { createDatabase } from './database.ts';

const root = user('root');

async function open(dsn: string) {
  await migrate(dsn, migrationsFolder);
  const database = createDatabase({ dsn, poolSize: 4, statementTimeoutMs: 30_000, onError: () => {} });
  onTestFinished(() => database.close());
  const bans = new PostgresBanRepository(database);
  return {
    bans,
    /** Bans and lifts a user so often that the ids of many transactions are used up. */
    async useTransactions() {
      for (let i = 0; i < 50; i += 1) {
        await bans.ban(root, 'noise', '', undefined);
        await bans.lift(root, 'noise');
      }
    },
    /** The answer for the cursor, as soon as the database can be reached. */
    read: (cursor: string) => eventually(() => bans.listChanges(cursor)),
    banned: () => eventually(() => bans.ban(root, 'after', '', undefined)),
  };
}

async function replicated(synchronous = false) {
  const servers = await ReplicatedPostgres.start({ synchronous });
  onTestFinished(() => servers.stop());
  return { servers, ...(await open(await servers.createDatabase('chat'))) };
}

const inForce = (...userIds: string[]) => ({
  complete: true,
  changes: userIds.map((userId) => ({ userId, banned: true })),
});

test('after a failover to a standby that lacks commits, a cursor of the old primary is answered in full', async () => {
  const { servers, bans, useTransactions, read, banned } = await replicated();
  await bans.ban(root, 'replicated', '', undefined);
  await servers.caughtUp();
  servers.disconnectStandby();
  await useTransactions();
  await bans.ban(root, 'lost', '', undefined);
  const { cursor } = await bans.listChanges();

  await servers.promote();

  // The new primary gives out ids again that the cursor takes for seen.
  await banned();
  expect(await read(cursor)).toMatchObject(inForce('replicated', 'after'));
});

test('after a restore from a backup, a cursor of the time after it is answered in full', async () => {
  const { servers, bans, useTransactions, read, banned } = await replicated();
  await bans.ban(root, 'saved', '', undefined);
  const backup = await servers.backUp();
  await useTransactions();
  const { cursor } = await bans.listChanges();

  await servers.restore(backup);

  await banned();
  expect(await read(cursor)).toMatchObject(inForce('saved', 'after'));
});

test('a ban whose commit waits for the standby is in the feed once the standby is back, and not before', async () => {
  const { servers, bans } = await replicated(true);
  const { cursor } = await bans.listChanges();
  servers.disconnectStandby();
  const waiting = bans.ban(root, 'bob', '', undefined);
  const waits = () => servers.primary.query(`select from pg_stat_activity where wait_event = 'SyncRep'`);
  await eventually(async () => expect(await waits()).toHaveLength(1));
  const during = await bans.listChanges(cursor);
  expect(during.changes).toEqual([]);

  await servers.connectStandby();
  await waiting;

  expect((await bans.listChanges(during.cursor)).changes).toEqual([{ userId: 'bob', banned: true }]);
});

test('after a crash of PostgreSQL, which loses ids that were in use, a cursor from before is answered in full', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-crash-'));
  const server = await PostgresProcess.start(folder, { fsync: 'off' });
  onTestFinished(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  const { bans, read } = await open(await server.createDatabase('chat'));
  await bans.ban(root, 'bob', '', undefined);
  const { cursor } = await bans.listChanges();
  const victim = await server.connect();
  const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid');
  const ended = new Promise((resolve) => victim.once('end', resolve));

  const lastReset = () => server.query('select stats_reset from pg_stat_bgwriter');
  const before = await lastReset();

  // The server ends all of its backends and recovers, in the same main process. It takes a moment to notice.
  process.kill(rows[0]!.pid, 'SIGKILL');
  await ended;
  await eventually(async () => expect(await lastReset()).not.toEqual(before));

  expect(await read(cursor)).toMatchObject(inForce('bob'));
});
