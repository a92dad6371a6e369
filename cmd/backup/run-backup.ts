import { parseArgs } from 'node:util';
import { backUp } from '../../internal/app/backup/back-up.ts';
import { summarize } from '../../internal/app/backup/manifest.ts';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { abortOnInterrupt } from '../../internal/app/process/abort-on-interrupt.ts';
import { runCommand, UsageError } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';

const usage = `usage: backup FOLDER [--json]

Writes everything in the database at POSTGRES_DSN, or else in the bundled PostgreSQL in DATA_DIR, into a new folder: what was committed at one moment,
while the service runs. The folder holds secrets (the keys that sign tokens, hashes of passwords), so only its owner can read it.

  --json   prints a summary of the backup as JSON
`;

/** Backs up the configured database. Returns the exit code. */
export function runBackup(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    });
    if (values.help) return console.log(usage);
    const [folder, ...others] = positionals;
    if (!folder || others.length > 0) throw new UsageError('give FOLDER (make backup TO=FOLDER)');
    const { database } = readConfig(env);
    const signal = abortOnInterrupt('interrupted: there is no backup');
    const manifest = await backUp(database, folder, { onProgress: (line) => console.error(line), signal });
    if (values.json) return console.log(JSON.stringify(summarize(manifest)));
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    console.log(`backed up ${nameDatabase(database)} as of ${manifest.takenAt}: ${rows} rows, in ${folder}`);
  });
}
