import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { TracedPool } from '../../client/tracing/traced-pool.ts';
import type { Config } from '../../config/config.ts';
import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { checkSettings } from './check-settings.ts';

/** The folder of the migrations, in goose's format. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** The part of the schema that a process needs. */
export interface Schema {
  /** Matches the names of its migrations. */
  migrations: RegExp;
  /** A table that exists if the migrations have run. */
  table: string;
}

/** Chats and accounts. */
export const wholeSchema: Schema = { migrations: /./, table: 'chats' };
/** The accounts, for a database without chats. */
export const authSchema: Schema = { migrations: /_auth/, table: 'auth.accounts' };

export interface OpenedDatabase extends Database {
  dsn: string;
  /** Resolves with the reason when the bundled PostgreSQL is down for good. Never resolves for another PostgreSQL. */
  lost: Promise<Error>;
}

/**
 * Opens the database at POSTGRES_DSN or the bundled one, and brings its schema up to date if MIGRATE_ON_START allows. Throws an error that names the
 * database, also if its settings are not those that the service needs.
 */
export async function openDatabase(
  config: Config,
  log: Logger,
  resources: ResourceStack,
  signal: AbortSignal,
  schema: Schema = wholeSchema,
): Promise<OpenedDatabase> {
  const { poolSize, migrateOnStart } = config.database;
  const { dsn, lost } = config.database.dsn
    ? { dsn: config.database.dsn, lost: new Promise<Error>(() => {}) }
    : await startEmbedded(config.database, log, resources, signal);
  let closing = false;
  const database = createDatabase({
    dsn,
    poolSize,
    statementTimeoutMs: config.times.callTimeoutMs,
    ...(config.tracing.url && { Pool: TracedPool }),
    // While everything is being closed the bundled PostgreSQL may end before the connections do.
    onError: (err) => closing || log.warn({ err }, 'a database connection broke'),
  });
  resources.add('the database connections', () => {
    closing = true;
    return database.close();
  });
  try {
    await checkSettings(database, config.database, log);
    if (migrateOnStart) {
      for (const name of await migrate(dsn, migrationsFolder, { signal, only: schema.migrations }))
        log.info({ migration: name }, 'migrated');
    } else {
      await checkSchema(database, schema.table);
    }
    await database.epochs.refresh();
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`cannot use the database ${withoutPassword(dsn)}: ${reasonOf(cause)}`, { cause });
  }
  return { ...database, dsn, lost };
}

/** Starts the bundled PostgreSQL. `lost` resolves with the reason when it is down for good. */
export async function startEmbedded(
  { dataDir }: DatabaseConfig,
  log: Logger,
  resources: ResourceStack,
  signal: AbortSignal,
): Promise<{ dsn: string; lost: Promise<Error> }> {
  const postgresLog = log.child({ part: 'postgres' });
  const server = await EmbeddedPostgres.start({ dataDir, log: (line) => postgresLog.debug(line) }, signal);
  resources.add('the bundled PostgreSQL', () => server.stop());
  const lost = new Promise<Error>((resolve) => {
    void server.exited.then((error) => error && resolve(error));
  });
  return { dsn: server.dsn, lost };
}

async function checkSchema({ pool }: Database, table: string): Promise<void> {
  const { rows } = await pool.query<{ present: boolean }>('select to_regclass($1) is not null as present', [table]);
  if (!rows[0]?.present) throw new Error('its schema is not there yet (run: make migrate)');
}

function withoutPassword(dsn: string): string {
  const url = new URL(dsn);
  if (url.password) url.password = '***';
  for (const key of [...url.searchParams.keys()]) if (/pass/i.test(key)) url.searchParams.set(key, '***');
  return url.href;
}

function reasonOf(cause: unknown): string {
  // A host name with several addresses, all of which failed.
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return (cause as Error).message;
}
