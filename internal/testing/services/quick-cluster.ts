import { PostgresProcess } from '../../servers/postgres-process.ts';

/** Settings for tests that do not kill PostgreSQL: it neither flushes to the disk nor vacuums, which matters only after a crash or in the long run. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
  max_connections: '300',
};

/** Starts a PostgreSQL that is quick and forgets everything in a crash. */
export function startQuickCluster(dataDir: string): Promise<PostgresProcess> {
  return PostgresProcess.start(dataDir, settings);
}
