import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { findRunning } from '../../embedded/find-running.ts';

/**
 * Runs work on the configured database: the one at POSTGRES_DSN, or else the bundled one. The bundled one is started for the work unless a running
 * service has started it already.
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
