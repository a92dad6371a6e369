import { parseArgs } from 'node:util';
import { summarize } from '../../internal/app/backup/manifest.ts';
import { restore } from '../../internal/app/backup/restore.ts';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { abortOnInterrupt } from '../../internal/app/process/abort-on-interrupt.ts';
import { runCommand, UsageError } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';

const usage = `usage: restore FOLDER [--replace] [--json]

Brings a backup into the database at POSTGRES_DSN, or else into the bundled PostgreSQL in DATA_DIR. Stop all processes of the service before. Checks all
files first, restores in one transaction, and begins a new epoch: readers are told where the history goes back.

  --replace  replaces what the database has; otherwise it must be empty
  --json     prints a summary of the backup, and what was replaced, as JSON
`;

/** Restores a backup into the configured database. Returns the exit code. */
export function runRestore(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        replace: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return console.log(usage);
    const [folder, ...others] = positionals;
    if (!folder || others.length > 0) throw new UsageError('give FOLDER (make restore FROM=FOLDER)');
    const { database } = readConfig(env);
    const signal = abortOnInterrupt('interrupted: the database is as it was, unless the restore was being committed');
    const onProgress = (line: string) => console.error(line);
    const { manifest, ...done } = await restore(database, folder, { replace: values.replace, onProgress, signal });
    if (values.json) return console.log(JSON.stringify({ ...done, backup: summarize(manifest) }));
    console.log(`restored ${nameDatabase(database)} as of ${manifest.takenAt}, in the new epoch ${done.epoch}`);
  });
}
