import { type Config, readConfig } from '../config/config.ts';
import { ConfigError } from '../config/env-reader.ts';
import { EmbeddedPostgres } from '../repository/embedded/embedded-postgres.ts';
import { migrate } from '../repository/postgres/migrate.ts';
import { migrationsFolder } from './open-database.ts';

const usage = `usage: migrate [--down]

Brings the database's schema up to date: that of POSTGRES_DSN, or of the bundled PostgreSQL in DATA_DIR.

  --down   takes back the newest migration instead
`;

/** Migrates the configured database and ends. Returns the exit code. */
export async function runMigrate(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(usage);
    return 0;
  }
  if (args.some((arg) => arg !== '--down')) {
    console.error(usage);
    return 2;
  }
  let server: EmbeddedPostgres | undefined;
  try {
    const config: Config = readConfig(env);
    if (!config.postgresDsn) server = await EmbeddedPostgres.start({ dataDir: config.dataDir });
    const dsn = config.postgresDsn ?? server!.dsn;
    const down = args.includes('--down');
    const names = await migrate(dsn, migrationsFolder, { down });
    for (const name of names) console.log(`${down ? 'took back' : 'applied'} ${name}`);
    if (names.length === 0) console.log(down ? 'there is nothing to take back' : 'the schema is up to date');
    return 0;
  } catch (error) {
    const faults = error instanceof ConfigError ? error.faults : [(error as Error).message];
    for (const fault of faults) console.error(`error: ${fault}`);
    return 1;
  } finally {
    await server?.stop();
  }
}
