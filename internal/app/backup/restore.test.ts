import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { query } from '../../embedded/testing/test-bench.ts';
import { type BackupTable, backupTables } from '../../repository/postgres/backup/backup-tables.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import { createTestBackup, type TestBackup } from '../../testing/services/test-backup.ts';
import { createEmptyDatabase, createTestDatabase } from '../../testing/services/test-database.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { migrationsFolder } from '../database/open-database.ts';
import type { Manifest } from './manifest.ts';

async function openStorage(): Promise<TestStorage> {
  const storage = await openTestStorage();
  onTestFinished(() => storage.close());
  return storage;
}

/** A database with one chat of this user, and no connections. */
async function createDatabase(createdBy = 'alice'): Promise<string> {
  const dsn = await createTestDatabase();
  await query(dsn, `insert into chats (id, type, created_by) values (gen_random_uuid(), 'GROUP', '${createdBy}')`);
  return dsn;
}

async function backUpSomething(): Promise<TestBackup> {
  const backup = await createTestBackup();
  await backup.save(await createDatabase());
  return backup;
}

/** Characters that COPY, JSON and the encoding treat in their own ways. */
const oddText = 'tab\t newline\n \\N \\. "quoted" \u{1F98A} é \u2028 \\';

/** Rows for the tables that no repository writes in these tests. */
const otherRows = `
  insert into chat_details values (gen_random_uuid(), 'about', '{"a": [1, null, "\\u00e9"]}');
  insert into chat_bans values (gen_random_uuid(), 'eve', 'alice', 'spam', '2025-01-01T00:00:00.123456Z', 'infinity');
  insert into user_bans values ('eve', 'root', 'spam', now(), null, true, now());
  insert into deleted_chats values (gen_random_uuid());
  insert into threads values (gen_random_uuid(), 2, 1, 3, now(), 3, '{alice}');
  insert into thread_follows values (gen_random_uuid(), 'alice', 2, 3, now());
  insert into audit_log (actor_id, action, detail) values ('root', 'x', '{}');
  insert into auth.signing_keys values ('kid', '{"d": "secret"}', now(), now(), null);
  insert into auth.accounts values ('alice', 'Alice', '$argon2id$', '{user,admin}');
  insert into auth.sessions (id, user_id, expires_at, ended_at, end_reason) values
    ('00000000-0000-0000-0000-000000000001', 'alice', now(), now(), 'logout'), (gen_random_uuid(), 'bob', now(), null, null);
  insert into auth.refresh_tokens values ('\\x00ff0a5c', '00000000-0000-0000-0000-000000000001', now(), null, '\\x5c');
  insert into auth.audit_log (action) values ('created');
  insert into ingest.stream values (true, 'CHAT', 'then', 8);
  insert into ingest.partitions values (1, gen_random_uuid(), 9007199254740993, now());
  insert into ingest.writers values (gen_random_uuid());
  insert into ingest.refused (partition, position, reason, body) values (1, 2, 'why', '\\x00');
  select export.enable('jetstream');
  select export.note_old('jetstream', 10)`;

/** All rows as text, without the numbers of the transactions that wrote them. `epochs`: how many of the epochs. */
async function allRows(dsn: string, epochs: number): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name } of await query<{ name: BackupTable }>(
    dsn,
    `select name from unnest('{${backupTables}}'::text[]) as t (name) where to_regclass(name) is not null`,
  )) {
    const kept = name === 'epochs' ? `where place <= ${epochs}` : '';
    const rows = await query<{ row: string }>(
      dsn,
      `select (to_jsonb(t) - 'changed_xid' - 'ended_xid')::text as row from ${name} t ${kept} order by 1`,
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}

test('a restored database has every row of every table, and goes on from there', async () => {
  const storage = await openStorage();
  const { chat } = await storage.chats.createGroup(user('alice'), 'chat', ['bob']);
  const send = (text: string) => storage.messages.appendBatch([newMessage(chat.id, 'alice', { text })], ['OWNER']);
  await send(oddText);
  await storage.database.epochs.begin(storage.database.pool);
  await send('in the second epoch');
  const { messages } = await storage.messages.listHistory(chat.id, { afterSeq: 0 }, 3);
  await storage.edit(messages[1]!, 'edited', { mentions: [{ userId: 'bob', everyone: false, offset: 0, length: 1 }] });
  const reaction = { chatId: chat.id, messageId: messages[1]!.id, emoji: '👍', added: true, actor: user('alice') };
  const change = { ...reaction, clientChangeId: 'r', asService: false, digest: Buffer.from('digest') };
  await storage.reactions.appendBatch([change], { reactingRoles: ['OWNER'], maxKinds: 1 });
  await query(storage.dsn, otherRows);
  const before = await allRows(storage.dsn, 2);

  const backup = await createTestBackup();
  const manifest = await backup.save(storage.dsn);
  const empty = await createEmptyDatabase('');
  await backup.restore(empty);

  expect(await allRows(empty, 2)).toEqual(before);
  expect(manifest.tables.map(({ name, rows }) => [name, rows])).toEqual(
    Object.entries(before).map(([name, { length }]) => [name, length]),
  );
  // The comparison shows nothing for a table without rows.
  expect(manifest.tables.filter(({ rows }) => rows === 0)).toEqual([]);
  const next = `insert into audit_log (actor_id, action, detail) values ('root', 'y', '{}') returning id`;
  expect(await query(empty, next)).toEqual(await query(storage.dsn, next));
  // Nodes compare these transactions with those of this database.
  const later = `select ended_xid from auth.sessions where ended_xid >= pg_snapshot_xmax(pg_current_snapshot())`;
  expect(await query(empty, later)).toEqual([]);
  expect(await query(empty, 'select from user_bans where changed_xid is null')).toEqual([]);
  // The triggers of the export are on.
  await query(empty, 'update chats set last_seq = last_seq + 1');
  const lag = 'select c.last_seq - e.last_seq as lag from chats c join export.cursors e on e.chat_id = c.id';
  expect(await query(empty, lag)).toEqual([{ lag: '0' }]);
});

/** The names of everything in a database. */
const objects = (dsn: string) =>
  query(
    dsn,
    `select oid::regclass::text as name from pg_class
     where relnamespace::regnamespace::text !~ '^(pg_|information_schema)' order by 1`,
  );

test.each<[string, RegExp, (backup: TestBackup) => Promise<unknown>]>([
  ['a file has another byte', /the checksum of chats\.copy\.gz does not match/, (b) => tamper(b, 'chats.copy.gz')],
  ['a file is cut off', /the checksum of users\.copy\.gz/, ({ path }) => writeFile(join(path, 'users.copy.gz'), '')],
  ['a file is missing', /it has no file chats\.copy\.gz/, ({ path }) => rm(join(path, 'chats.copy.gz'))],
  ['the manifest has another byte', /the checksum of manifest\.json/, (backup) => tamper(backup, 'manifest.json')],
  ['the manifest is missing', /it has no file manifest\.json/, ({ path }) => rm(join(path, 'manifest.json'))],
  ['the folder is missing', /there is no folder/, ({ path }) => rename(path, `${path}.away`)],
  [
    'its schema is newer than the program',
    /the backup .* has migration 9999, and this program knows those up to \d+: use a release that has it/,
    (backup) => forge(backup, ({ migrations }) => migrations.push(9_999)),
  ],
  [
    'its format is newer than the program',
    /has the format 2, and this program reads 1/,
    (backup) => forge(backup, (manifest) => Object.assign(manifest, { formatVersion: 2 })),
  ],
  [
    'it names a table that is not of the service',
    /a table that this program does not know: pg_authid/,
    (backup) => forge(backup, ({ triggers }) => triggers.push({ table: 'pg_authid' as BackupTable, name: 'x' })),
  ],
])('nothing is touched if %s', async (_, message, damage) => {
  const backup = await backUpSomething();
  await damage(backup);
  const empty = await createEmptyDatabase('');
  await expect(backup.restore(empty, { replace: true })).rejects.toThrow(message);
  expect(await objects(empty)).toEqual([]);
});

/** Inverts a bit of a file. */
async function tamper({ path }: TestBackup, name: string): Promise<void> {
  const bytes = await readFile(join(path, name));
  bytes[12]! ^= 1;
  await writeFile(join(path, name), bytes);
}

/** Changes the manifest, and its checksum with it. */
async function forge({ path }: TestBackup, change: (manifest: Manifest) => unknown): Promise<void> {
  const file = join(path, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  change(manifest);
  const text = JSON.stringify(manifest);
  await writeFile(file, text);
  await writeFile(`${file}.sha256`, `${createHash('sha256').update(text).digest('hex')}  manifest.json\n`);
}

test('a database that is not empty is refused with what it has, and replaced on demand', async () => {
  const backup = await backUpSomething();
  const dsn = await createDatabase('carol');
  await expect(backup.restore(dsn)).rejects.toThrow(/not empty \(rows: chats 1\): --replace/);
  expect(await query(dsn, 'select created_by from chats')).toEqual([{ created_by: 'carol' }]);

  const { replaced } = await backup.restore(dsn, { replace: true });

  expect(replaced).toEqual({ chats: 1 });
  expect(backup.progress).toContain('replacing what the database has (rows: chats 1)');
  expect(await query(dsn, 'select created_by from chats')).toEqual([{ created_by: 'alice' }]);
});

test('a database that has a schema and no rows counts as empty', async () => {
  const backup = await backUpSomething();
  expect(await backup.restore(await createTestDatabase())).toMatchObject({ replaced: {}, migrated: [] });
});

test('a restore that fails halfway leaves the database as it was', async () => {
  const backup = await backUpSomething();
  await forge(backup, ({ tables }) => Object.assign(tables.find(({ name }) => name === 'chats')!, { rows: 2 }));
  const dsn = await createDatabase('carol');
  const before = await allRows(dsn, 9);
  const fault = 'table chats: 1 rows were restored, and the backup names 2';
  await expect(backup.restore(dsn, { replace: true })).rejects.toThrow(fault);
  expect(await allRows(dsn, 9)).toEqual(before);
});

test('a database is refused while a process of the service has a connection to it', async () => {
  const backup = await backUpSomething();
  const { dsn } = await openStorage();
  await expect(backup.restore(dsn, { replace: true })).rejects.toThrow(/in use \(sessions: \d+ of chat-service\)/);
});

test('a database that is newer than the program is neither replaced nor backed up', async () => {
  const dsn = await createDatabase('carol');
  await query(dsn, 'insert into goose_db_version (version_id, is_applied) values (9999, true)');
  await expect((await createTestBackup()).save(dsn)).rejects.toThrow('the database has migration 9999');
  const backup = await backUpSomething();
  await expect(backup.restore(dsn, { replace: true })).rejects.toThrow('the database has migration 9999');
});

test.each([5, 8, 12, 17])('a backup of the schema of migration %i is migrated', async (version) => {
  const all = (await readdir(migrationsFolder)).sort();
  const had = all.filter((name) => Number.parseInt(name, 10) <= version);
  const old = await createEmptyDatabase('');
  await migrate(old, migrationsFolder, { only: new RegExp(had.join('|')) });
  await query(
    old,
    `insert into messages (chat_id, seq, update_seq, id, sender_id, sender_name, text, created_at)
     values (gen_random_uuid(), 1, 1, gen_random_uuid(), 'alice', 'Alice', 'old', now())`,
  );
  if (version === 8) await query(old, 'select export.enable()');
  const backup = await createTestBackup();
  await backup.save(old);

  const empty = await createEmptyDatabase('');
  const { migrated, epoch } = await backup.restore(empty);

  expect(migrated).toEqual(all.slice(had.length));
  expect(epoch).toMatch(/^[0-9a-f]{32}$/);
  expect(await query(empty, 'select text, data, hidden from messages')).toEqual([
    { text: 'old', data: null, hidden: false },
  ]);
  if (version === 8) expect(await query(empty, 'select enabled from export.sinks')).toEqual([{ enabled: true }]);
});

test('neither a backup nor a restore needs more rights than the owner of the database has', async () => {
  const role = `owner_${randomBytes(6).toString('hex')}`;
  await query(await createTestDatabase(), `create role ${role} login password 'owner'`);
  const createOwned = async () => {
    const dsn = new URL(await createEmptyDatabase(`owner ${role}`));
    Object.assign(dsn, { username: role, password: 'owner' });
    return dsn.href;
  };
  const dsn = await createOwned();
  await migrate(dsn, migrationsFolder);
  await query(dsn, otherRows);
  const backup = await createTestBackup();
  await backup.save(dsn);
  const empty = await createOwned();
  await backup.restore(empty);
  await backup.restore(empty, { replace: true });
  expect(await query(empty, 'select name from auth.accounts')).toEqual([{ name: 'Alice' }]);
});

test('a database of accounts alone is restored without chats', async () => {
  const accounts = await createEmptyDatabase('');
  await migrate(accounts, migrationsFolder, { only: /_auth/ });
  await query(accounts, `insert into auth.accounts values ('alice', 'Alice', '$argon2id$', '{user}')`);
  const backup = await createTestBackup();
  await backup.save(accounts);
  const empty = await createEmptyDatabase('');
  expect(await backup.restore(empty)).toMatchObject({ epoch: null, migrated: [] });
  expect(await query(empty, 'select name from auth.accounts')).toEqual([{ name: 'Alice' }]);
  expect(await objects(empty)).toEqual(await objects(accounts));
});
