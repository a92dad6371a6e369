import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';
import { useDatabase } from './use-database.ts';

const statementTimeoutMs = 30_000;

/** Begins a new epoch in the configured database and returns its id. */
export function beginNewEpoch(config: Pick<DatabaseConfig, 'dsn' | 'dataDir'>): Promise<string> {
  return useDatabase(config, async (dsn) => {
    const database = createDatabase({ dsn, poolSize: 2, statementTimeoutMs, onError: () => {} });
    try {
      return await database.epochs.begin(database.pool);
    } finally {
      await database.close();
    }
  });
}
