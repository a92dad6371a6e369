import type { DatabaseConfig } from '../../config/groups/database-config.ts';

/** Says which database is configured, for a person to recognise: folder, or host and name; never user or password. */
export function nameDatabase({ dsn, dataDir }: Pick<DatabaseConfig, 'dsn' | 'dataDir'>): string {
  if (dsn === undefined) return `the bundled PostgreSQL in ${dataDir}`;
  const { host, pathname, searchParams } = new URL(dsn);
  return `PostgreSQL at ${host || (searchParams.get('host') ?? 'localhost')}${pathname}`;
}
