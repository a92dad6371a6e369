import type { Readable } from 'node:stream';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { withClient } from '../connection/with-client.ts';
import { checkKnown, listApplied, schemaLock } from '../migrations/schema-version.ts';
import { type BackupTable, listPresent, quoteAll } from './backup-tables.ts';
import type { DatabaseContents, TableContents } from './database-contents.ts';

export interface ReadOptions {
  dsn: string;
  /** The versions of the migrations that this program knows. */
  known: readonly number[];
  signal: AbortSignal;
  /** Takes the rows of each table, in the text format of COPY. */
  save(table: BackupTable, rows: Readable): Promise<void>;
}

/**
 * Reads the whole database in one snapshot, beside a running service. Writes nothing, so a standby will do. Throws if the database has no schema of the
 * service, or one that is newer than this program.
 */
export function readContents({ dsn, known, signal, save }: ReadOptions): Promise<DatabaseContents> {
  return withClient({ dsn, applicationName: 'chat-backup', signal }, async (client) => {
    const present = await beginSnapshot(client);
    const { rows } = await client.query<{ takenAt: Date; serverVersion: string }>(
      `select statement_timestamp() as "takenAt", current_setting('server_version') as "serverVersion",
         pg_advisory_unlock_shared($1)`,
      [schemaLock],
    );
    const { takenAt, serverVersion } = rows[0]!;
    const migrations = await listApplied(client);
    checkKnown(migrations, known, 'the database');
    const tables: TableContents[] = [];
    for (const name of present) tables.push(await readTable(client, name, save));
    return {
      takenAt: takenAt.toISOString(),
      serverVersion,
      epoch: present.includes('epochs') ? await readEpoch(client) : null,
      migrations,
      tables,
      triggers: await listTriggers(client, present),
    };
  });
}

/**
 * Begins a transaction whose snapshot will be that of its next query, and returns the tables. They are locked before the snapshot is taken: a migration
 * comes wholly before or after it.
 */
async function beginSnapshot(client: pg.Client): Promise<BackupTable[]> {
  await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0');
  await client.query('select pg_advisory_lock_shared($1)', [schemaLock]);
  const present = await listPresent(client);
  if (present.length === 0) throw new Error('there is no schema of the service in it: nothing can be backed up');
  await client.query('begin isolation level repeatable read read only');
  await client.query(`lock table goose_db_version, ${present.join(', ')} in access share mode`);
  return present;
}

async function readTable(client: pg.Client, name: BackupTable, save: ReadOptions['save']): Promise<TableContents> {
  const { rows: columns } = await client.query<{ name: string; sequence: string | null }>(
    `select attname as name, pg_get_serial_sequence($1, attname) as sequence from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [name],
  );
  const names = columns.map((column) => column.name);
  // COPY of a query also reads a table that the operator has partitioned.
  const copy = client.query(copyTo(`copy (select ${quoteAll(names)} from ${name}) to stdout`));
  await save(name, copy);
  const nextValues: Record<string, string> = {};
  for (const { name: column, sequence } of columns) {
    if (sequence === null) continue;
    const { rows } = await client.query<{ next: string }>(
      `select last_value + is_called::integer as next from ${sequence}`,
    );
    nextValues[column] = rows[0]!.next;
  }
  // The number of rows comes after the last row: it is there once another query has been answered.
  await client.query('select');
  return { name, columns: names, rows: copy.rowCount, nextValues };
}

async function readEpoch(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>('select id from epochs order by place desc limit 1');
  return rows[0]?.id ?? null;
}

async function listTriggers(client: pg.Client, tables: BackupTable[]): Promise<DatabaseContents['triggers']> {
  const { rows } = await client.query<{ table: BackupTable; name: string }>(
    `select t.name as table, g.tgname as name from unnest($1::text[]) as t (name)
     join pg_trigger g on g.tgrelid = t.name::regclass
     where not g.tgisinternal and g.tgenabled <> 'D' order by 1, 2`,
    [tables],
  );
  return rows;
}
