import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { findRunning } from '../../embedded/find-running.ts';

/**
 * Does something with the configured database: an outside one, the bundled one of a service that is running, or else the bundled one
 * started for the moment.
 */
export async function useDatabase<T>(
  { dsn, dataDir }: Pick<DatabaseConfig, 'dsn' | 'dataDir'>,
  work: (dsn: string) => Promise<T>,
): Promise<T> {
  const running = dsn ?? (await findRunning(dataDir));
  if (running !== undefined) return work(running);
  const server = await EmbeddedPostgres.start({ dataDir });
  try {
    return await work(server.dsn);
  } finally {
    await server.stop();
  }
}
