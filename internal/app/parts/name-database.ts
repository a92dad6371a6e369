import type { Config } from '../../config/config.ts';

/** Says which database is configured, for a person to recognise: folder, or host and name; never user or password. */
export function nameDatabase({ postgresDsn, dataDir }: Pick<Config, 'postgresDsn' | 'dataDir'>): string {
  if (postgresDsn === undefined) return `the bundled PostgreSQL in ${dataDir}`;
  const { host, pathname, searchParams } = new URL(postgresDsn);
  return `PostgreSQL at ${host || (searchParams.get('host') ?? 'localhost')}${pathname}`;
}
