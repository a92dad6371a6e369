import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy } from '../../../testing/faults/tcp-proxy.ts';
import { createTestDatabase } from '../../../testing/services/test-database.ts';
import { createDatabase } from './database.ts';

test('a query fails if the server is silent when its new connection looks at the epoch, and a later one works', async () => {
  const proxy = await startTcpProxy(await createTestDatabase());
  onTestFinished(() => proxy.close());
  const database = createDatabase({ dsn: proxy.dsn, poolSize: 2, statementTimeoutMs: 5_000, onError: () => {} });
  onTestFinished(() => database.close());
  proxy.freezeAt('present_epoch');
  await expect(sql`select 1`.execute(database.db)).rejects.toThrow();
  await expect(database.reads.executeQuery(sql`select 1`.compile(database.reads))).rejects.toThrow();
  proxy.restore();
  expect((await sql`select 1 as one`.execute(database.db)).rows).toEqual([{ one: 1 }]);
});
