import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrationsFolder } from '../app/parts/open-database.ts';
import { EmbeddedPostgres } from '../embedded/embedded-postgres.ts';
import { migrate } from '../repository/postgres/migrations/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A migrated database, to be copied; on a PostgreSQL that all test files share. */
    templateDsn: string;
  }
}

/** One real PostgreSQL for the whole run. Each test file makes itself a database of its own on it. */
export default async function globalSetup({ provide }: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-test-'));
  const server = await EmbeddedPostgres.start({ dataDir, database: 'template', settings: { max_connections: '300' } });
  await migrate(server.dsn, migrationsFolder);
  provide('templateDsn', server.dsn);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
