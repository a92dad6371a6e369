import { resolve } from 'node:path';
import type { EnvReader } from '../reading/env-reader.ts';
import { allowsInsecurity, findDefaultPassword, type Insecurity } from '../reading/insecure.ts';

/** Where messages and accounts are stored. */
export interface DatabaseConfig {
  /** The address of a PostgreSQL. Absent: the bundled one is started in `dataDir`. */
  dsn: string | undefined;
  /** Connections to the database, half of them for reads. */
  poolSize: number;
  /** The folder of the bundled PostgreSQL, an absolute path. */
  dataDir: string;
  /** Whether the schema is brought up to date at start. */
  migrateOnStart: boolean;
  /** Whether the service starts with a database whose settings endanger acknowledged data. */
  mayLoseData: boolean;
}

export function readDatabase(read: EnvReader): DatabaseConfig {
  return {
    dsn: read.url('POSTGRES_DSN', ['postgres:', 'postgresql:']),
    poolSize: read.integer('POSTGRES_POOL_SIZE', 10, { min: 2, max: 1_000 }),
    dataDir: resolve(read.string('DATA_DIR', '.data')),
    migrateOnStart: read.boolean('MIGRATE_ON_START', true),
    mayLoseData: allowsInsecurity(read, 'data-loss'),
  };
}

/** A password that anybody would try. */
export function findDatabaseInsecurities({ dsn }: DatabaseConfig): Insecurity[] {
  return findDefaultPassword('POSTGRES_DSN', dsn);
}
