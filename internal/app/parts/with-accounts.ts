import type { Config } from '../../config/config.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import { authSchema, migrationsFolder } from './open-database.ts';
import { useDatabase } from './use-database.ts';

/** Does something with the accounts' tables, which it brings up to date as the service would at its start. */
export function withAccounts<T>(config: Config, work: (database: Database) => Promise<T>): Promise<T> {
  return useDatabase(config, async (dsn) => {
    if (config.migrateOnStart) await migrate(dsn, migrationsFolder, { only: authSchema.migrations });
    const database = createDatabase({ dsn, poolSize: 2, statementTimeoutMs: config.callTimeoutMs, onError: () => {} });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  });
}
