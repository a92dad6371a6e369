import { afterAll, beforeAll, describe } from 'vitest';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { PostgresPresenceStore } from './postgres-presence-store.ts';
import { testSharedPresence } from './shared-presence-conformance.ts';

let proxy: TcpProxy;
let database: Database;
beforeAll(async () => {
  proxy = await startTcpProxy(await createTestDatabase());
  database = createDatabase({ dsn: proxy.dsn, poolSize: 8, statementTimeoutMs: 5_000, onError: () => {} });
});
afterAll(async () => {
  await database.close();
  await proxy.close();
});

const clear = async () => {
  await database.pool.query('truncate presence_nodes, presence');
};

describe('presence in PostgreSQL', () => {
  testSharedPresence(() => ({
    open: (deadAfterMs) => new PostgresPresenceStore(database, { deadAfterMs }),
    reset: clear,
    lose: clear,
    async cut() {
      proxy.cut();
    },
    async restore() {
      proxy.restore();
    },
  }));
});
