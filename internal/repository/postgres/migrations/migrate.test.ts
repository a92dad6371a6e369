import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { migrationsFolder } from '../../../app/database/open-database.ts';
import { eventually } from '../../../testing/eventually.ts';
import { createTestDatabase } from '../../../testing/services/test-database.ts';
import { migrate } from './migrate.ts';

const names = (await readdir(migrationsFolder)).sort();
const folders: string[] = [];
let dsn: string;
let client: pg.Client;

beforeEach(async () => {
  dsn = await createTestDatabase();
  client = new pg.Client({ connectionString: dsn });
  await client.connect();
  return () => client.end();
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** Everything in the database that is not PostgreSQL's own. */
async function objects(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    select n.nspname || '.' || c.relname || ' ' || c.relkind::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not like 'pg_%' and n.nspname <> 'information_schema' and c.relname not like 'goose_%'
    union all select 'function ' || proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public'
    union all select 'schema ' || nspname from pg_namespace where nspname not like 'pg_%'
    order by 1`);
  return rows.map(({ name }) => name);
}

async function takeDown(): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    const [name] = await migrate(dsn, migrationsFolder, { down: true });
    if (!name) return taken;
    taken.push(name);
  }
}

test('the migrations can be taken back one by one, leaving nothing, and applied again to the same schema', async () => {
  const before = await objects();

  expect(await takeDown()).toEqual(names.toReversed());
  expect(await objects()).toEqual(['schema information_schema', 'schema public']);

  expect(await migrate(dsn, migrationsFolder)).toEqual(names);
  expect(await objects()).toEqual(before);
});

test('migrating what is up to date does nothing', async () => {
  expect(await migrate(dsn, migrationsFolder)).toEqual([]);
});

test('of several that migrate at once one works and the others wait for it', async () => {
  await takeDown();

  const results = await Promise.all(Array.from({ length: 5 }, () => migrate(dsn, migrationsFolder)));

  expect(results.toSorted((a, b) => b.length - a.length)).toEqual([names, [], [], [], []]);
});

test('several processes may migrate at once', async () => {
  await takeDown();
  const main = fileURLToPath(new URL('../../../../cmd/migrate/main.ts', import.meta.url));
  const run = async () => {
    const child = spawn(process.execPath, [main], { env: { ...process.env, POSTGRES_DSN: dsn }, stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    const [code] = await once(child, 'close');
    return { code, output };
  };

  const results = await Promise.all([run(), run(), run()]);

  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(results.filter(({ output }) => output.includes(`applied ${names[0]}`))).toHaveLength(1);
});

test('the versions are kept as goose keeps them, so that goose can go on from there', async () => {
  const versions = async () => {
    const { rows } = await client.query(
      'select version_id::int as version, is_applied from goose_db_version order by id',
    );
    return rows;
  };
  await takeDown();

  expect(await versions()).toEqual([{ version: 0, is_applied: true }]);
  await migrate(dsn, migrationsFolder);
  const applied = [0, ...names.map((name) => Number.parseInt(name, 10))];
  expect(await versions()).toEqual(applied.map((version) => ({ version, is_applied: true })));
  const { rows } = await client.query(
    `select column_name, data_type, is_nullable from information_schema.columns
     where table_name = 'goose_db_version' order by ordinal_position`,
  );
  expect(rows.map(({ column_name, data_type, is_nullable }) => [column_name, data_type, is_nullable])).toEqual([
    ['id', 'integer', 'NO'],
    ['version_id', 'bigint', 'NO'],
    ['is_applied', 'boolean', 'NO'],
    ['tstamp', 'timestamp without time zone', 'NO'],
  ]);
});

test('a version that goose has taken back by a second row counts as not applied', async () => {
  const folder = await folderOf({ '9003_x.sql': '-- +goose Up\ncreate table x ();\n-- +goose Down\ndrop table x;\n' });
  await migrate(dsn, folder);
  await client.query('drop table x');
  await client.query('insert into goose_db_version (version_id, is_applied) values (9003, false)');

  expect(await migrate(dsn, folder)).toEqual(['9003_x.sql']);
});

test('a migration that fails leaves nothing of itself, keeps those before it, and is named', async () => {
  const folder = await folderOf({
    '9003_good.sql': '-- +goose Up\ncreate table good ();\n',
    '9004_bad.sql': '-- +goose Up\ncreate table half ();\nselect nonsense;\n',
  });

  await expect(migrate(dsn, folder)).rejects.toThrow(/9004_bad\.sql: .*nonsense/);

  const { rows } = await client.query(`select to_regclass('good') as good, to_regclass('half') as half`);
  expect(rows).toEqual([{ good: 'good', half: null }]);
  await writeFile(join(folder, '9004_bad.sql'), '-- +goose Up\ncreate table half ();\n');
  expect(await migrate(dsn, folder)).toEqual(['9004_bad.sql']);
});

test('an abort ends the wait for another who migrates', async () => {
  await takeDown();
  const folder = await folderOf({ '9003_slow.sql': '-- +goose Up\nselect pg_sleep(30);\n' });
  const [first, second] = [new AbortController(), new AbortController()];
  const underWay = migrate(dsn, folder, { signal: first.signal });
  const waiting = async (event: string) => {
    const { rows } = await client.query(
      `select from pg_stat_activity where application_name = 'chat-migrate' and wait_event = $1 and datname = current_database()`,
      [event],
    );
    expect(rows).toHaveLength(1);
  };
  await eventually(() => waiting('PgSleep'));
  const waits = migrate(dsn, migrationsFolder, { signal: second.signal });
  await eventually(() => waiting('advisory'));

  second.abort();
  await expect(waits).rejects.toThrow();
  first.abort();
  await expect(underWay).rejects.toThrow();

  await eventually(async () => {
    const { rows } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`,
    );
    expect(rows).toHaveLength(0);
  });
  expect(await migrate(dsn, migrationsFolder)).toEqual(names);
});
