import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { withClient } from '../connection/with-client.ts';
import type { Migration } from '../migrations/goose.ts';
import { checkKnown, createVersionTable, listApplied, runMigration, schemaLock } from '../migrations/schema-version.ts';
import { type BackupTable, backupTables, listPresent, quoteAll } from './backup-tables.ts';
import type { DatabaseContents, TableContents } from './database-contents.ts';

export interface RestoreOptions {
  dsn: string;
  contents: DatabaseContents;
  /** All that this program knows. */
  migrations: readonly Migration[];
  /** Matches the names of the migrations that the database has in the end. */
  only: RegExp;
  /** Whether rows that the database has may go. */
  replace: boolean;
  signal: AbortSignal;
  /** Opens the rows of a table, in the text format of COPY. */
  open(table: BackupTable): Readable;
  onProgress(line: string): void;
}

/** What a restore did. */
export interface Restored {
  /** The numbers of rows that were replaced, by table. */
  replaced: Record<string, number>;
  /** The names of the migrations that the backup did not have. */
  migrated: string[];
  /** The new epoch; null in a database without chats. */
  epoch: string | null;
}

/**
 * Replaces the service's part of a database in one transaction: nothing has changed if it fails. Ends in a new epoch. Throws if the service uses the
 * database, and if the database has rows unless `replace`.
 */
export async function restoreContents(options: RestoreOptions): Promise<Restored> {
  const { dsn, contents, migrations, only, signal, onProgress } = options;
  checkTables(contents);
  return withClient({ dsn, applicationName: 'chat-restore', signal }, async (client) => {
    await lockOut(client);
    await client.query(
      `set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set lock_timeout = '10s'`,
    );
    await client.query('begin');
    const replaced = await clear(client, options);
    for (const migration of migrations) {
      if (contents.migrations.includes(migration.version)) await runMigration(client, migration, 'up');
    }
    onProgress('restoring the rows');
    for (const table of contents.tables) await load(client, table, options.open(table.name));
    for (const { table, name } of contents.triggers)
      await client.query(`alter table ${table} enable trigger ${pg.escapeIdentifier(name)}`);
    const newer = migrations.filter(({ version, name }) => only.test(name) && !contents.migrations.includes(version));
    for (const migration of newer) {
      onProgress(`migrating: ${migration.name}`);
      await runMigration(client, migration, 'up');
    }
    const epoch = await beginEpoch(client);
    onProgress('analyzing the tables');
    await client.query(`analyze ${(await listPresent(client)).join(', ')}`);
    await client.query('commit');
    return { replaced, migrated: newer.map(({ name }) => name), epoch };
  });
}

/** Throws an error if a name that will be part of a statement is not of a table of the service. */
function checkTables({ tables, triggers }: DatabaseContents): void {
  const names = [...tables.map(({ name }) => name), ...triggers.map(({ table }) => table)];
  const unknown = names.find((name) => !backupTables.includes(name));
  if (unknown !== undefined) throw new Error(`the backup has a table that this program does not know: ${unknown}`);
}

/** Keeps services out: one that starts waits until the connection ends, before it migrates. Throws if one has started before. */
async function lockOut(client: pg.Client): Promise<void> {
  const { rows: locks } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    schemaLock,
  ]);
  if (!locks[0]?.locked) throw new Error('another program migrates, restores or backs up the database');
  const { rows: sessions } = await client.query<{ name: string; count: string }>(
    `select application_name as name, count(*) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and application_name like 'chat-%' group by 1 order by 1`,
  );
  if (sessions.length === 0) return;
  const list = sessions.map(({ name, count }) => `${count} of ${name}`).join(', ');
  throw new Error(`the database is in use (sessions: ${list}): stop all processes of the service first`);
}

/** Takes the service's tables, functions and schemas out of the database. Returns the numbers of rows that are gone, without those of a new schema. */
async function clear(client: pg.Client, { migrations, replace, onProgress }: RestoreOptions) {
  await createVersionTable(client);
  const applied = await listApplied(client);
  checkKnown(
    applied,
    migrations.map(({ version }) => version),
    'the database',
  );
  const present = await listPresent(client);
  if (present.length === 0) return {};
  const counts = await countRows(client, present);
  if (Object.keys(counts).length > 0) {
    const list = Object.entries(counts).map(([name, rows]) => `${name} ${rows}`);
    if (!replace) throw new Error(`the database is not empty (rows: ${list.join(', ')}): --replace replaces all of it`);
    onProgress(`replacing what the database has (rows: ${list.join(', ')})`);
  }
  // Reverting a migration converts rows: there must be none.
  await client.query(`truncate ${present.join(', ')}`);
  for (const migration of migrations.toReversed()) {
    if (applied.includes(migration.version)) await runMigration(client, migration, 'down');
  }
  return counts;
}

/** Tables that have rows before anybody has used the service. */
const neverEmpty: readonly BackupTable[] = ['epochs', 'ingest.mode', 'export.backfill'];

async function countRows(client: pg.Client, tables: readonly BackupTable[]): Promise<Record<string, number>> {
  const counted = tables.filter((name) => !neverEmpty.includes(name));
  const queries = counted.map((name) => `select '${name}' as name, count(*)::integer as rows from ${name}`);
  const { rows } = await client.query<{ name: string; rows: number }>(queries.join(' union all '));
  return Object.fromEntries(rows.filter((row) => row.rows > 0).map((row) => [row.name, row.rows]));
}

async function load(client: pg.Client, table: TableContents, rows: Readable): Promise<void> {
  const { name, columns, nextValues } = table;
  // The migrations have filled some tables.
  await client.query(`delete from ${name}`);
  const copy = client.query(copyFrom(`copy ${name} (${quoteAll(columns)}) from stdin`));
  try {
    await pipeline(rows, copy);
  } catch (cause) {
    throw new Error(`table ${name}: ${(cause as Error).message}`, { cause });
  }
  if (copy.rowCount !== table.rows)
    throw new Error(`table ${name}: ${copy.rowCount} rows were restored, and the backup names ${table.rows}`);
  for (const [column, next] of Object.entries(nextValues))
    await client.query('select setval(pg_get_serial_sequence($1, $2), $3, false)', [name, column, next]);
}

async function beginEpoch(client: pg.Client): Promise<string | null> {
  const { rows: found } = await client.query<{ present: boolean }>(
    `select to_regprocedure('new_epoch()') is not null as present`,
  );
  if (!found[0]!.present) return null;
  const { rows } = await client.query<{ id: string }>('select new_epoch() as id');
  return rows[0]!.id;
}
