import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** Creates a migrated database on the run's shared PostgreSQL and returns its DSN. It lasts until the end of the run. */
export async function createTestDatabase(): Promise<string> {
  const template = new URL(inject('templateDsn'));
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new URL(template);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  try {
    // A copy needs the template exclusively, so files that start at the same time take turns.
    await client.query('select pg_advisory_lock(1)');
    await client.query(`create database ${name} template ${template.pathname.slice(1)}`);
  } finally {
    await client.end();
  }
  const dsn = new URL(template);
  dsn.pathname = `/${name}`;
  return dsn.href;
}
