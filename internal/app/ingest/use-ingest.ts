import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';
import { PostgresIngestRepository } from '../../repository/postgres/ingest/postgres-ingest-repository.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import { migrationsFolder, type OpenedDatabase } from '../database/open-database.ts';
import { useDatabase } from '../database/use-database.ts';
import { ResourceStack } from '../lifecycle/resource-stack.ts';

export interface IngestParts {
  database: OpenedDatabase;
  repository: PostgresIngestRepository;
  /** What the work opens. It is closed afterwards. */
  resources: ResourceStack;
}

/** Runs work on the configured database's tables for ingest. Before that it brings them up to date, as the service does at its start. */
export function useIngest<T>(config: Config, log: Logger, work: (parts: IngestParts) => Promise<T>): Promise<T> {
  return useDatabase(config.database, async (dsn) => {
    if (config.database.migrateOnStart) await migrate(dsn, migrationsFolder);
    const resources = new ResourceStack(log);
    let closing = false;
    const database = createDatabase({
      dsn,
      poolSize: config.database.poolSize,
      statementTimeoutMs: config.times.callTimeoutMs,
      // The bundled PostgreSQL is stopped right after the pool, and then ends connections before they are closed.
      onError: (err) => closing || log.warn({ err }, 'a database connection broke'),
    });
    resources.add('the database connections', () => {
      closing = true;
      return database.close();
    });
    try {
      const opened = { ...database, dsn, lost: new Promise<Error>(() => {}) };
      return await work({ database: opened, repository: new PostgresIngestRepository(database), resources });
    } finally {
      await resources.close();
    }
  });
}
