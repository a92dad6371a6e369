import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { query } from '../../embedded/testing/test-bench.ts';
import { backupTables } from '../../repository/postgres/backup/backup-tables.ts';
import { eventually } from '../../testing/eventually.ts';
import { createTestBackup } from '../../testing/services/test-backup.ts';
import { createEmptyDatabase, createTestDatabase } from '../../testing/services/test-database.ts';
import { backUp } from './back-up.ts';

/** A database with one chat. */
async function createDatabase(): Promise<string> {
  const dsn = await createTestDatabase();
  await query(dsn, newChat);
  return dsn;
}

const newChat = `insert into chats (id, type, created_by) values (gen_random_uuid(), 'GROUP', 'alice')`;

/** Locks a table until the client commits. */
async function lock(dsn: string, table: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`begin; lock table ${table} in access exclusive mode`);
  return client;
}

const waitsForLock = (dsn: string) =>
  eventually(async () => {
    const waiting = `select from pg_stat_activity
      where application_name = 'chat-backup' and wait_event = 'relation' and datname = current_database()`;
    expect(await query(dsn, waiting)).toHaveLength(1);
  });

test('every table that the migrations make is in a backup, besides those that a crash empties', async () => {
  const found = await query<{ name: string }>(
    await createTestDatabase(),
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema)'
       and c.relname <> 'goose_db_version'`,
  );
  // The last two existed until migration 0011.
  expect(found.map(({ name }) => name).sort()).toEqual(backupTables.slice(0, -2).sort());
});

test('a partitioned table is read, and a database that refuses writes', async () => {
  const dsn = await createDatabase();
  await query(
    dsn,
    `alter table members rename to unpartitioned;
     create table members (like unpartitioned including all) partition by hash (chat_id);
     create table members_0 partition of members for values with (modulus 1, remainder 0);
     drop table unpartitioned;
     insert into members (chat_id, user_id, role, joined_seq) select id, 'alice', 'OWNER', 1 from chats`,
  );
  const readOnly = new URL(dsn);
  readOnly.searchParams.set('options', '-c default_transaction_read_only=on');
  const backup = await createTestBackup();
  await backup.save(readOnly.href);
  const empty = await createEmptyDatabase('');
  await backup.restore(empty);
  expect(await query(empty, 'select user_id from members')).toEqual([{ user_id: 'alice' }]);
});

test('only their owner can read the files, which hold secrets', async () => {
  const backup = await createTestBackup();
  await backup.save(await createDatabase());
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  expect(await modeOf(backup.path)).toBe(0o700);
  for (const name of await readdir(backup.path)) expect(await modeOf(join(backup.path, name))).toBe(0o600);
});

test('a folder that exists is not overwritten', async () => {
  const dsn = await createDatabase();
  const backup = await createTestBackup();
  await backup.save(dsn);
  const before = await readFile(join(backup.path, 'manifest.json'));
  await expect(backup.save(dsn)).rejects.toThrow('exists already');
  expect(await readFile(join(backup.path, 'manifest.json'))).toEqual(before);
});

test('a backup has another name until it is complete, and leaves nothing when it is interrupted', async () => {
  const dsn = await createDatabase();
  const backup = await createTestBackup();
  await lock(dsn, 'messages');
  const stop = new AbortController();
  const underWay = backup.save(dsn, stop.signal);
  await waitsForLock(dsn);
  expect(await readdir(backup.parent)).toEqual([expect.stringMatching(/^backup\.incomplete-/)]);

  stop.abort(new Error('interrupted'));

  await expect(underWay).rejects.toThrow('interrupted');
  expect(await readdir(backup.parent)).toEqual([]);
});

test('a backup waits for a migration that is under way, and has its result', async () => {
  const dsn = await createTestDatabase();
  const migration = await lock(dsn, 'chats');
  const backup = await createTestBackup();
  const underWay = backup.save(dsn);
  await waitsForLock(dsn);
  await migration.query(`alter table chats add column added text; ${newChat}; commit`);
  const { tables } = await underWay;
  const chats = tables.find(({ name }) => name === 'chats')!;
  expect([chats.rows, chats.columns.at(-1)]).toEqual([1, 'added']);
});

test('a database without a schema of the service cannot be backed up, nor a folder without a database', async () => {
  const backup = await createTestBackup();
  await expect(backup.save(await createEmptyDatabase(''))).rejects.toThrow('nothing can be backed up');
  const options = { onProgress: () => {}, signal: new AbortController().signal };
  await expect(backUp({ dsn: undefined, dataDir: backup.parent }, backup.path, options)).rejects.toThrow(
    `there is no database in ${backup.parent}`,
  );
  expect(await readdir(backup.parent)).toEqual([]);
});
