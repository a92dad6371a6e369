import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/**
 * Creates a migrated database on the run's shared PostgreSQL and returns its DSN. It lasts until the end of the run. `settings` are defaults of its
 * sessions.
 */
export function createTestDatabase(settings: Readonly<Record<string, string>> = {}): Promise<string> {
  return create(`template ${new URL(inject('templateDsn')).pathname.slice(1)}`, settings);
}

/** Creates an empty database, with options of CREATE DATABASE. */
export function createEmptyDatabase(options: string, settings: Readonly<Record<string, string>> = {}): Promise<string> {
  return create(`template template0 ${options}`, settings);
}

async function create(options: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const template = new URL(inject('templateDsn'));
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new URL(template);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  try {
    // A copy needs the template exclusively, so files that start at the same time take turns.
    await client.query('select pg_advisory_lock(1)');
    await client.query(`create database ${name} ${options}`);
    for (const [setting, value] of Object.entries(settings))
      await client.query(`alter database ${name} set ${setting} = ${pg.escapeLiteral(value)}`);
  } finally {
    await client.end();
  }
  const dsn = new URL(template);
  dsn.pathname = `/${name}`;
  return dsn.href;
}
