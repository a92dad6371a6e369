import { parseArgs } from 'node:util';
import { migrateDatabase } from '../../internal/app/database/migrate-database.ts';
import { runCommand } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';

const usage = `usage: migrate [--down]

Brings the schema of the database at POSTGRES_DSN, or else of the bundled PostgreSQL in DATA_DIR, up to date.

  --down   reverts the newest migration instead
`;

/** Migrates the configured database. Returns the exit code. */
export function runMigrate(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values } = parseArgs({
      args: [...args],
      options: { down: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    });
    if (values.help) return console.log(usage);
    const { down } = values;
    const names = await migrateDatabase(readConfig(readEnvironment(env)).database, { down });
    for (const name of names) console.log(`${down ? 'reverted' : 'applied'} ${name}`);
    if (names.length === 0) console.log(down ? 'there is no migration to revert' : 'the schema is up to date');
  });
}
