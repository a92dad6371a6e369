import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { eventually } from '../eventually.ts';

/** Locks the chat's row, for which every change of the chat waits. Returns a function that releases it; it is also released when the test ends. */
export async function holdChat(dsn: string, { id }: { id: string }): Promise<() => Promise<void>> {
  return hold(dsn, 'select from chats where id = $1 for update', [id]);
}

/** Lets nobody write to the table of messages until the returned function is called, or the test ends. Unlike a chat's lock, writers wait for it for ever. */
export async function holdMessages(dsn: string): Promise<() => Promise<void>> {
  return hold(dsn, 'lock table messages in share mode');
}

async function hold(dsn: string, statement: string, values: unknown[] = []): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query(statement, values);
  return async () => void (await client.query('commit'));
}

/** Resolves when `count` statements on the database wait for a lock. */
export async function lockWaits(dsn: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  try {
    await eventually(async () => {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(count);
    });
  } finally {
    await client.end();
  }
}
