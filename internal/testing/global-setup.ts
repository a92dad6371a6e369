import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrationsFolder } from '../app/database/open-database.ts';
import { migrate } from '../repository/postgres/migrations/migrate.ts';
import { startQuickCluster } from './services/quick-cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A migrated database on the PostgreSQL that all test files share. Test files copy it. */
    templateDsn: string;
  }
}

/** Starts one real PostgreSQL for the whole run. Each test file creates its own database on it. */
export default async function globalSetup({ provide }: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-test-'));
  const cluster = await startQuickCluster(dataDir);
  const dsn = await cluster.createDatabase('template');
  await migrate(dsn, migrationsFolder);
  provide('templateDsn', dsn);
  return async () => {
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
