import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { DatabaseWatch } from './database-watch.ts';

let proxy: TcpProxy;
let database: Database;
beforeAll(async () => {
  proxy = await startTcpProxy(await createTestDatabase());
  database = createDatabase({ dsn: proxy.dsn, poolSize: 2, statementTimeoutMs: 1_000, onError: () => {} });
});
afterAll(async () => {
  await database.close();
  await proxy.close();
});

test('a change is told once each time that the database goes away and comes back', async () => {
  const changes: boolean[] = [];
  const watch = new DatabaseWatch(database.pool, 10, (reachable) => changes.push(reachable));
  proxy.cut();
  await eventually(() => expect(changes).toEqual([false]));
  proxy.restore();
  await eventually(() => expect(changes).toEqual([false, true]));
  proxy.cut();
  await eventually(() => expect(changes).toEqual([false, true, false]));
  proxy.restore();
  await eventually(() => expect(changes).toEqual([false, true, false, true]));
  watch.stop();
});

test('nothing is told any more once it has been stopped, not even by a question under way', async () => {
  const changes: boolean[] = [];
  await database.pool.query('select 1');
  const watch = new DatabaseWatch(database.pool, 10, (reachable) => changes.push(reachable));
  const blocking = await Promise.all([database.pool.connect(), database.pool.connect()]);
  // Its question waits for a connection.
  await eventually(() => expect(database.pool.waitingCount).toBe(1));
  watch.stop();
  proxy.cut();
  for (const client of blocking) client.release(true);
  await eventually(() => expect(database.pool.waitingCount).toBe(0));
  await expect(database.pool.query('select 1')).rejects.toThrow();
  proxy.restore();
  await database.pool.query('select 1');
  expect(changes).toEqual([]);
});
