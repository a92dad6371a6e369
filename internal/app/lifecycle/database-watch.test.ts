import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { DatabaseWatch } from './database-watch.ts';

let proxy: TcpProxy;
let database: Database;
beforeAll(async () => {
  proxy = await startTcpProxy(await createTestDatabase());
  database = createDatabase({ dsn: proxy.dsn, poolSize: 4, statementTimeoutMs: 1_000, onError: () => {} });
});
afterAll(async () => {
  await database.close();
  await proxy.close();
});

/** A watch that asks every few milliseconds, and what it has reported. */
function watchDatabase() {
  const changes: boolean[] = [];
  const log = new LogLines();
  const onChange = (reachable: boolean) => changes.push(reachable);
  const watch = new DatabaseWatch({ ask: () => database.readPool.query('select 1'), log: log.logger, onChange }, 10);
  return { watch, changes, log };
}

test('a change is logged and reported once each time that the database goes away and is back', async () => {
  const { watch, changes, log } = watchDatabase();
  proxy.cut();
  await eventually(() => expect(changes).toEqual([false]));
  proxy.restore();
  await eventually(() => expect(changes).toEqual([false, true]));
  proxy.cut();
  await eventually(() => expect(changes).toEqual([false, true, false]));
  proxy.restore();
  await eventually(() => expect(changes).toEqual([false, true, false, true]));
  watch.stop();
  const [away, back] = ['the database is away', 'the database is back'];
  expect(log.lines.map(({ msg }) => msg)).toEqual([away, back, away, back]);
});

test('nothing is reported any more once it has been stopped, not even by a question under way', async () => {
  await database.readPool.query('select 1');
  const { watch, changes } = watchDatabase();
  const blocking = await Promise.all([database.readPool.connect(), database.readPool.connect()]);
  // Its question waits for a connection.
  await eventually(() => expect(database.readPool.waitingCount).toBe(1));
  watch.stop();
  proxy.cut();
  for (const client of blocking) client.release(true);
  await eventually(() => expect(database.readPool.waitingCount).toBe(0));
  await expect(database.readPool.query('select 1')).rejects.toThrow();
  proxy.restore();
  await database.readPool.query('select 1');
  expect(changes).toEqual([]);
});
