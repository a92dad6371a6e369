import type { Config } from '../../config/config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { findRunning } from '../../embedded/find-running.ts';

/**
 * Does something with the configured database: an outside one, the bundled one of a service that is running, or else the bundled one
 * started for the moment.
 */
export async function useDatabase<T>(
  { postgresDsn, dataDir }: Pick<Config, 'postgresDsn' | 'dataDir'>,
  work: (dsn: string) => Promise<T>,
): Promise<T> {
  const dsn = postgresDsn ?? (await findRunning(dataDir));
  if (dsn !== undefined) return work(dsn);
  const server = await EmbeddedPostgres.start({ dataDir });
  try {
    return await work(server.dsn);
  } finally {
    await server.stop();
  }
}
