import { parseArgs } from 'node:util';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { listRefused, replayIngest } from '../../internal/app/ingest/replay-ingest.ts';
import { createLogger } from '../../internal/app/process/logger.ts';
import { runCommand } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';

const usage = `usage: ingest-replay [--list]

Puts the accepted messages that were set aside in the table ingest.refused back into JetStream, in their order, and removes each one from the table once
JetStream has it. They keep their ids and get new numbers when they are written. A message that still cannot be written is set aside again. The program
needs the settings of the nodes (POSTGRES_DSN, NATS_URL, INGEST_…). Running it again is safe, also after an interruption.

  --list   lists the messages and changes nothing
`;

/** Lists or replays the messages that were set aside in the configured database. Returns the exit code. */
export function runIngestReplay(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values } = parseArgs({
      args: [...args],
      options: { list: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    });
    if (values.help) return console.log(usage);
    const settings = readEnvironment(env);
    const config = readConfig(values.list ? settings : { ...settings, INGEST: 'jetstream' });
    const log = createLogger({ ...config.log, level: 'warn' });
    const where = `in ${nameDatabase(config.database)}`;
    if (values.list) {
      let count = 0;
      await listRefused(config, log, ({ id, at, partition, reason }) => {
        count += 1;
        console.log(`${id}  ${at.toISOString()}  partition ${partition}  ${reason}`);
      });
      return console.log(`${count} messages are set aside ${where}`);
    }
    const { appended, unreadable } = await replayIngest(config, log);
    console.log(
      `${appended} messages that were set aside ${where} are in JetStream again; ${unreadable} cannot be read and stay`,
    );
  });
}
