import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { startApp } from '../../internal/app/app.ts';
import { announceAdmin } from '../../internal/app/process/announce-admin.ts';
import { type Running, runProcess } from '../../internal/app/process/run-process.ts';
import { startWorkers } from '../../internal/app/process/start-workers.ts';
import { toAddress } from '../../internal/app/process/to-address.ts';
import type { Ports, WorkerMessage } from '../../internal/app/process/workers.ts';
import { type Config, readConfig } from '../../internal/config/config.ts';
import type { LiveConfig } from '../../internal/config/live/live-config.ts';
import { ConfigError } from '../../internal/config/reading/env-reader.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';
import { runAuthServer } from '../auth-server/run-auth-server.ts';
import { runGateway } from '../gateway/run-gateway.ts';
import { runBackground } from '../message-writer/run-background.ts';

/**
 * Runs the service, or the parts of it that ROLES name, until a signal stops it. Returns the exit code. Roles that run without the service have their
 * own programs, and run as those here.
 */
export function runServer(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const roles = findRoles(env);
  if (roles.length === 1 && roles[0] === 'gateway') return runGateway(env, args);
  if (roles.length === 1 && roles[0] === 'auth') return runAuthServer({ ...env, ROLES: undefined }, args);
  if (roles.length > 0 && roles.every((role) => role === 'writer' || role === 'relay')) return runBackground(env, args);
  return runProcess(
    { name: 'server', does: 'runs the chat service, or the parts of it that ROLES name', args },
    env,
    readConfig,
    async (settings, log, signal) => {
      const { live } = settings;
      if (cluster.isWorker) return runWorker(live, log, signal);
      const config = live.current;
      const service =
        config.workers > 1 ? await startWorkers(settings, log, signal) : await startApp(live, log, {}, signal);
      return { failed: service.failed, announcement: announce(config, service), stop: () => service.stop() };
    },
  );
}

/** Faults of the file that CONFIG_FILE names are reported by the program that then starts. */
function findRoles(env: NodeJS.ProcessEnv): string[] {
  try {
    return (readEnvironment(env).ROLES ?? '').split(',').flatMap((role) => role.trim() || []);
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

async function runWorker(live: LiveConfig<Config>, log: Logger, signal: AbortSignal): Promise<Running> {
  const app = await startApp(live, log, {}, signal);
  const { grpcPort, httpPort, adminSocket } = app;
  process.send?.({ kind: 'ready', grpcPort, httpPort, adminSocket } satisfies WorkerMessage);
  return { failed: app.failed, announcement: [], stop: () => app.stop() };
}

function announce(
  { listen: { host }, admin, auth, database, tls, workers }: Config,
  { grpcPort, httpPort, adminPort }: Ports & { adminPort: number | undefined },
): string[] {
  const lines = [
    `  chat-service is ready${tls ? ' (TLS)' : ''}`,
    `    gRPC      ${toAddress(host, grpcPort)}  (reflection and health are on)`,
  ];
  if (httpPort !== undefined) {
    lines.push(
      `    HTTP      ${tls ? 'https' : 'http'}://${toAddress(host, httpPort)}  (web page, REST, WebSocket; documentation at /docs)`,
    );
  }
  lines.push(
    `    messages  ${database.dsn ? 'PostgreSQL at POSTGRES_DSN' : `bundled PostgreSQL in ${database.dataDir}`}`,
  );
  lines.push(...announceAdmin(admin, adminPort));
  if (workers > 1) lines.push(`    workers   ${workers} processes on these ports`);
  if (auth.guests && !auth.external) {
    const how = tls ? " ARGS='--tls-ca FILE'" : '';
    lines.push('', '  Chat from two terminals:', `    make chat USER=alice${how}`, `    make chat USER=bob${how}`);
  }
  return lines;
}
