import { sql } from 'kysely';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestStorage, type TestStorage } from '../../../testing/services/test-storage.ts';
import { type CommitPosition, commitPosition, committedAfter, parseCommitPosition } from './commit-position.ts';

let storage: TestStorage;
beforeEach(async () => {
  storage = await openTestStorage();
});
afterEach(() => storage.close());

async function here(): Promise<{ cursor: string; position: CommitPosition }> {
  const { rows } = await sql<{ cursor: string }>`select ${commitPosition('user_bans')} as cursor`.execute(
    storage.database.db,
  );
  return { cursor: rows[0]!.cursor, position: parseCommitPosition(rows[0]!.cursor)! };
}

/** The bans that were committed after the position, in the order of their users. */
async function since(position: CommitPosition): Promise<string[]> {
  const { rows } = await sql<{ user_id: string }>`
    select b.user_id from user_bans b where ${committedAfter('b.changed_xid', position)} order by 1`.execute(
    storage.database.db,
  );
  return rows.map(({ user_id }) => user_id);
}

const ban = (client: pg.Client | pg.Pool, userId: string) =>
  client.query(`insert into user_bans (user_id, banned_by, reason) values ($1, 'root', '')`, [userId]);

/** Begins a transaction that bans the user, and leaves it open. */
async function begin(userId: string): Promise<pg.Client> {
  const client = await storage.connect();
  await client.query('begin');
  await ban(client, userId);
  return client;
}

test('each row comes after exactly those positions at which it was not committed', async () => {
  const start = await here();
  const [first, second] = [await begin('first'), await begin('second')];
  await ban(storage.database.pool, 'third');
  const afterThird = await here();
  await second.query('commit');
  const afterSecond = await here();
  await first.query('commit');
  const end = await here();

  expect(await since(start.position)).toEqual(['first', 'second', 'third']);
  expect(await since(afterThird.position)).toEqual(['first', 'second']);
  expect(await since(afterSecond.position)).toEqual(['first']);
  expect(await since(end.position)).toEqual([]);
  expect(new Set([start, afterThird, afterSecond, end].map(({ position }) => position.history)).size).toBe(1);
});

test('a row in a savepoint counts as committed with its transaction', async () => {
  const client = await storage.connect();
  await client.query('begin; savepoint s');
  await ban(client, 'bob');
  await client.query('release s');
  const { position } = await here();
  await client.query('commit');
  expect(await since(position)).toEqual(['bob']);
});

test('a cursor stays short while many transactions are open; what it cannot say comes again', async () => {
  const open = await Promise.all(Array.from({ length: 40 }, (_, i) => begin(`open ${i}`)));
  await ban(storage.database.pool, 'committed');

  const { cursor, position } = await here();

  expect(cursor.length).toBeLessThanOrEqual(128);
  for (const client of open) await client.query('commit');
  expect((await since(position)).filter((id) => id !== 'committed')).toHaveLength(40);
  expect(await since((await here()).position)).toEqual([]);
});
