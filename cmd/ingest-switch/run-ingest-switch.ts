import { parseArgs } from 'node:util';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { forceIngest, switchIngest } from '../../internal/app/ingest/switch-ingest.ts';
import { createLogger } from '../../internal/app/process/logger.ts';
import { runCommand, UsageError } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';
import type { IngestMode } from '../../internal/repository/ingest-repository.ts';

const usage = `usage: ingest-switch direct|jetstream [--force]

Switches how the messages of the database get into it (INGEST). From then on, nodes with the other setting refuse messages as UNAVAILABLE: restart
them with the new one. To direct, it first writes every message that JetStream has accepted. It needs the settings of the nodes (POSTGRES_DSN, NATS_URL,
INGEST_…). If it is interrupted, all nodes refuse messages until it is run again.

  --force   without JetStream, if that is lost: what it has accepted is not written. Stop all nodes before
`;

/** Switches how messages get into the configured database. Returns the exit code. */
export function runIngestSwitch(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { force: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    });
    if (values.help) return console.log(usage);
    const [to, ...others] = positionals;
    if ((to !== 'direct' && to !== 'jetstream') || others.length > 0) throw new UsageError('give direct or jetstream');
    await runSwitch(env, to, values);
  });
}

async function runSwitch(env: NodeJS.ProcessEnv, to: IngestMode, { force }: { force: boolean }): Promise<void> {
  const settings = readEnvironment(env);
  const config = readConfig(force ? settings : { ...settings, INGEST: 'jetstream' });
  const log = createLogger({ ...config.log, level: 'warn' });
  if (force) {
    await forceIngest(config, { to, log });
  } else {
    const stop = new AbortController();
    const interrupt = () => stop.abort(new Error('interrupted: all nodes refuse messages until it is run again'));
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    const onWaiting = (partitions: number) => console.log(`waiting for the messages of ${partitions} partitions`);
    await switchIngest(config, { to, log, onWaiting, signal: stop.signal });
  }
  console.log(
    `the messages of ${nameDatabase(config.database)} are stored with INGEST=${to}: restart the nodes with it`,
  );
}
