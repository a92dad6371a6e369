import type { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { query } from '../../../embedded/testing/test-bench.ts';
import { createTestDatabase } from '../../../testing/services/test-database.ts';
import type { BackupTable } from './backup-tables.ts';
import { readContents } from './read-contents.ts';

const known = Array.from({ length: 9_999 }, (_, version) => version);

/** Reads all tables. `onRows` is called with the first rows of `users`. */
async function read(dsn: string, signal: AbortSignal, onRows: () => Promise<void>): Promise<string[]> {
  const read: string[] = [];
  const save = async (table: BackupTable, rows: Readable) => {
    for await (const _ of rows) if (read.length === 0) await onRows();
    read.push(table);
  };
  await readContents({ dsn, known, signal, save });
  return read;
}

/** A database with more users than the buffers of a connection hold. */
async function createDatabase(): Promise<string> {
  const dsn = await createTestDatabase();
  await query(dsn, `insert into users (id, name) select n, repeat(md5(n::text), 10) from generate_series(1, 100000) n`);
  return dsn;
}

const forever = new AbortController().signal;

test('all tables are read as of one moment', async () => {
  const dsn = await createDatabase();
  let rowsOfChats = -1;
  const save = async (table: BackupTable, rows: Readable) => {
    const chunks: Buffer[] = [];
    for await (const chunk of rows) chunks.push(chunk);
    if (table === 'users')
      await query(dsn, `insert into chats (id, type, created_by) values (gen_random_uuid(), 'GROUP', 'too late')`);
    if (table === 'chats') rowsOfChats = Buffer.concat(chunks).length;
  };
  const { tables } = await readContents({ dsn, known, signal: forever, save });
  expect(rowsOfChats).toBe(0);
  expect(tables.slice(0, 2)).toMatchObject([
    { name: 'users', rows: 100_000 },
    { name: 'chats', rows: 0 },
  ]);
});

test('rows that end because the connection breaks are an error', async () => {
  const dsn = await createDatabase();
  const kill = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'chat-backup' and datname = current_database()`;
  const end = async () => {
    expect(await query(dsn, kill)).toHaveLength(1);
  };
  await expect(read(dsn, forever, end)).rejects.toThrow();
});

test('an abort ends the reading between rows', async () => {
  const stop = new AbortController();
  await expect(read(await createDatabase(), stop.signal, async () => stop.abort())).rejects.toThrow();
});
