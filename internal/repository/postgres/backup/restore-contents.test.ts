import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { migrationsFolder } from '../../../app/database/open-database.ts';
import { query } from '../../../embedded/testing/test-bench.ts';
import { eventually } from '../../../testing/eventually.ts';
import { createTestDatabase } from '../../../testing/services/test-database.ts';
import { readMigrations } from '../migrations/goose.ts';
import { migrate } from '../migrations/migrate.ts';
import type { DatabaseContents } from './database-contents.ts';
import { restoreContents } from './restore-contents.ts';

/** Begins to restore one chat in place of another one, and waits at its row. */
async function startRestore(signal: AbortSignal) {
  const dsn = await createTestDatabase();
  await query(dsn, `insert into chats (id, type, created_by) values (gen_random_uuid(), 'GROUP', 'before')`);
  const migrations = await readMigrations(migrationsFolder);
  const columns = ['id', 'type', 'created_by'];
  const contents: DatabaseContents = {
    takenAt: '',
    serverVersion: '',
    epoch: null,
    migrations: migrations.map(({ version }) => version),
    tables: [{ name: 'chats', columns, rows: 1, nextValues: {} }],
    triggers: [],
  };
  const waiting = Promise.withResolvers<void>();
  const rows = new Readable({ read: () => waiting.resolve() });
  const open = () => rows;
  const done = restoreContents({ dsn, contents, migrations, only: /./, replace: true, signal, open, onProgress() {} });
  // The caller expects an error later.
  done.catch(() => {});
  await waiting.promise;
  const goOn = () => {
    rows.push('00000000-0000-0000-0000-000000000001\tGROUP\tafter\n');
    rows.push(null);
  };
  return { dsn, done, goOn };
}

const createdBy = (dsn: string) => query(dsn, 'select created_by from chats');

test('a service that starts during a restore waits before it migrates, and finds what was restored', async () => {
  const { dsn, done, goOn } = await startRestore(new AbortController().signal);
  const migrated = migrate(dsn, migrationsFolder);
  const waits = `select from pg_stat_activity
    where application_name = 'chat-migrate' and wait_event = 'advisory' and datname = current_database()`;
  await eventually(async () => expect(await query(dsn, waits)).toHaveLength(1));
  goOn();
  await done;
  expect(await migrated).toEqual([]);
  expect(await createdBy(dsn)).toEqual([{ created_by: 'after' }]);
});

test('two restores at a time are refused', async () => {
  const { dsn, done, goOn } = await startRestore(new AbortController().signal);
  const contents = { takenAt: '', serverVersion: '', epoch: null, migrations: [], tables: [], triggers: [] };
  const other = { contents, migrations: [], only: /./, replace: true, open: () => Readable.from([]), onProgress() {} };
  await expect(restoreContents({ dsn, ...other, signal: new AbortController().signal })).rejects.toThrow(
    'another program migrates, restores or backs up the database',
  );
  goOn();
  await done;
});

test('a restore that is interrupted leaves the database as it was', async () => {
  const stop = new AbortController();
  const { dsn, done } = await startRestore(stop.signal);
  stop.abort();
  await expect(done).rejects.toThrow();
  // Waits until the server has rolled back.
  expect(await createdBy(dsn)).toEqual([{ created_by: 'before' }]);
});
