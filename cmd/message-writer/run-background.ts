import { announceAdmin } from '../../internal/app/process/announce-admin.ts';
import { type Program, runProcess } from '../../internal/app/process/run-process.ts';
import { toAddress } from '../../internal/app/process/to-address.ts';
import { startBackground } from '../../internal/app/start-background.ts';
import { type Config, readConfig } from '../../internal/config/config.ts';
import { messageWriterDefaults } from '../../internal/config/program-defaults.ts';
import { ConfigError } from '../../internal/config/reading/env-reader.ts';
import type { Env } from '../../internal/config/reading/environment.ts';

/** Runs a writer of accepted messages alone, until a signal stops it. Returns the exit code. */
export function runMessageWriter(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const does = 'runs a writer of accepted messages alone (INGEST=jetstream)';
  const read = (settings: Env) => readBackgroundConfig({ ...messageWriterDefaults, ...settings, ROLES: 'writer' });
  return runRoles(env, { name: 'message-writer', does, args }, read);
}

/** Runs the roles without clients, writer and relay, until a signal stops them. The services run in other processes. Returns the exit code. */
export function runBackground(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const does = 'runs the roles writer and relay, without the chat service';
  return runRoles(env, { name: 'server', does, args }, readBackgroundConfig);
}

function runRoles(env: NodeJS.ProcessEnv, program: Program, read: (env: Env) => Config): Promise<number> {
  return runProcess(program, env, read, async ({ live }, log, signal) => {
    const { grpcPort, adminPort, stop } = await startBackground(live, log, signal);
    const announcement = [...announce(live.current, grpcPort), ...announceAdmin(live.current.admin, adminPort)];
    return { failed: new Promise<Error>(() => {}), announcement, stop };
  });
}

function readBackgroundConfig(env: Env): Config {
  const config = readConfig(env);
  const { roles, ingest, bus } = config;
  const faults: string[] = [];
  if (roles.has('writer') && ingest.kind === 'direct') faults.push('INGEST must be jetstream for the role writer');
  if (roles.has('relay') && config.export.kind === 'none') faults.push('EXPORT must be jetstream for the role relay');
  if (!config.database.dsn) {
    faults.push(`POSTGRES_DSN must be set for ${nameOf(config)}, which shares the database of the services`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  if (roles.has('writer') && bus.kind === 'memory') {
    config.warnings.push(
      'BUS_URL is memory: the services learn of written messages only by their repair (REPAIR_INTERVAL_MS)',
    );
  }
  return config;
}

function announce(config: Config, grpcPort: number): string[] {
  const { roles, ingest, export: target, tls } = config;
  const lines = [
    `  ${nameOf(config)} is ready${tls ? ' (TLS)' : ''}`,
    `    gRPC      ${toAddress(config.listen.host, grpcPort)}  (health only)`,
  ];
  if (roles.has('writer') && ingest.kind === 'jetstream') {
    lines.push(`    messages  from the stream ${ingest.stream} to PostgreSQL at POSTGRES_DSN`);
  }
  if (roles.has('relay') && target.kind === 'jetstream') {
    lines.push(`    changes   from PostgreSQL at POSTGRES_DSN to the stream ${target.stream}`);
  }
  return lines;
}

function nameOf({ roles }: Config): string {
  return roles.size === 1 && roles.has('writer') ? 'the message-writer' : [...roles].join(' and ');
}
