import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import { migrationsFolder } from './open-database.ts';
import { useDatabase } from './use-database.ts';

/** Brings the configured database's schema up to date, or with `down` takes back the newest migration. Resolves with the migrations' names. */
export function migrateDatabase(
  config: Pick<DatabaseConfig, 'dsn' | 'dataDir'>,
  { down }: { down: boolean },
): Promise<string[]> {
  return useDatabase(config, (dsn) => migrate(dsn, migrationsFolder, { down }));
}
