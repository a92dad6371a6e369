import { parseArgs } from 'node:util';
import { beginNewEpoch } from '../../internal/app/database/begin-new-epoch.ts';
import { runCommand } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';

const usage = `usage: new-epoch

Tells the service that the database at POSTGRES_DSN, or else the bundled PostgreSQL in DATA_DIR, has gone back: run it after
a restore that PostgreSQL does not know of, such as a copy of the data folder or a snapshot of the disk, before clients
write again. Readers are then told what the database no longer has, and read anew. A promoted standby, a restore by
recovery, and a restored dump are noticed without it. Running it without need costs readers nothing.
`;

/** Begins a new epoch in the configured database. Returns the exit code. */
export function runNewEpoch(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean' } } });
    if (values.help) return console.log(usage);
    console.log(`a new epoch has begun: ${await beginNewEpoch(readConfig(readEnvironment(env)).database)}`);
  });
}
