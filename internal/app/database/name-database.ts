import type { DatabaseConfig } from '../../config/groups/database-config.ts';

/** Describes the configured database to a person: by its folder, or by its host and name. Never names the user or the password. */
export function nameDatabase({ dsn, dataDir }: Pick<DatabaseConfig, 'dsn' | 'dataDir'>): string {
  if (dsn === undefined) return `the bundled PostgreSQL in ${dataDir}`;
  const { host, pathname, searchParams } = new URL(dsn);
  return `PostgreSQL at ${host || (searchParams.get('host') ?? 'localhost')}${pathname}`;
}
