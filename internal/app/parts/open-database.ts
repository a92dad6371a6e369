import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

/** goose-format migrations. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** What a process needs of the schema: the migrations whose names match, seen to be there by one of their tables. */
export interface Schema {
  migrations: RegExp;
  table: string;
}

const wholeSchema: Schema = { migrations: /./, table: 'chats' };
/** The accounts alone, for a database that holds no chats. */
export const authSchema: Schema = { migrations: /_auth/, table: 'auth.accounts' };

export interface OpenedDatabase extends Database {
  dsn: string;
  /** Settles when the bundled server is down for good, with the reason; never for an outside one. */
  lost: Promise<Error>;
}

/** The configured database, or the bundled one; with the schema up to date. Throws an error with a clear message. */
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
    // When they are closed, the bundled server may be quicker than they are.
    onError: (err) => closing || log.warn({ err }, 'a database connection broke'),
  });
  resources.add('the database connections', () => {
    closing = true;
    return database.close();
  });
  try {
    if (migrateOnStart) {
      for (const name of await migrate(dsn, migrationsFolder, { signal, only: schema.migrations }))
        log.info({ migration: name }, 'migrated');
    } else {
      await checkSchema(database, schema.table);
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`cannot use the database ${withoutPassword(dsn)}: ${reasonOf(cause)}`, { cause });
  }
  return { ...database, dsn, lost };
}

/** The bundled server: its address, and when it is down for good. */
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
  // Several addresses of one name, each refused for itself.
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return (cause as Error).message;
}
