import type pg from 'pg';
import { withClient } from '../connection/with-client.ts';
import { type Migration, readMigrations } from './goose.ts';
import { createVersionTable, listApplied, runMigration, schemaLock } from './schema-version.ts';

/**
 * Applies the migrations that the database does not have yet, each in a transaction, and returns their names. `down` reverts the newest one
 * instead. `only` restricts both to the migrations whose names match.
 *
 * Several processes may call it at once: one works and the others wait. Versions are stored the way goose stores them, so that the command
 * line of goose works on the same database.
 */
export async function migrate(
  dsn: string,
  folder: string,
  { down = false, only = /./, signal }: { down?: boolean; only?: RegExp; signal?: AbortSignal } = {},
): Promise<string[]> {
  const migrations = (await readMigrations(folder)).filter(({ name }) => only.test(name));
  return withClient({ dsn, applicationName: 'chat-migrate', signal }, async (client) => {
    await client.query('select pg_advisory_lock($1)', [schemaLock]);
    await createVersionTable(client);
    const applied = new Set(await listApplied(client));
    if (down) {
      const newest = migrations.findLast(({ version }) => applied.has(version));
      if (!newest) return [];
      await apply(client, newest, 'down');
      return [newest.name];
    }
    const pending = migrations.filter(({ version }) => !applied.has(version));
    for (const migration of pending) await apply(client, migration, 'up');
    return pending.map(({ name }) => name);
  });
}

async function apply(client: pg.Client, migration: Migration, direction: 'up' | 'down'): Promise<void> {
  await client.query('begin');
  try {
    await runMigration(client, migration, direction);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
