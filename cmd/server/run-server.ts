import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { startApp } from '../../internal/app/app.ts';
import { createLogger } from '../../internal/app/process/logger.ts';
import { type Running, runProcess } from '../../internal/app/process/run-process.ts';
import { startWorkers } from '../../internal/app/process/start-workers.ts';
import { toAddress } from '../../internal/app/process/to-address.ts';
import type { Ports, WorkerMessage } from '../../internal/app/process/workers.ts';
import { type Config, readConfig } from '../../internal/config/config.ts';
import { runAuthServer } from '../auth-server/run-auth-server.ts';
import { runGateway } from '../gateway/run-gateway.ts';
import { runBackground } from '../message-writer/run-background.ts';

/**
 * Runs the service, or the parts of it that ROLES name, until a signal stops it. Returns the exit code. Roles that run without the service have their
 * own programs, and run as those here.
 */
export function runServer(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const roles = (env.ROLES ?? '').split(',').flatMap((role) => role.trim() || []);
  if (roles.length === 1 && roles[0] === 'gateway') return runGateway(env, args);
  if (roles.length === 1 && roles[0] === 'auth') return runAuthServer({ ...env, ROLES: undefined }, args);
  if (roles.length > 0 && roles.every((role) => role === 'writer' || role === 'relay')) return runBackground(env, args);
  return runProcess(
    { name: 'server', does: 'runs the chat service, or the parts of it that ROLES name', args },
    () => readConfig(env),
    async (config, signal) => {
      const log = createLogger(config.log);
      if (cluster.isWorker) return runWorker(config, log, signal);
      for (const warning of config.warnings) log.warn(warning);
      const service =
        config.workers > 1 ? await startWorkers(config, log, signal) : await startApp(config, log, {}, signal);
      return { log, failed: service.failed, announcement: announce(config, service), stop: () => service.stop() };
    },
  );
}

async function runWorker(config: Config, log: Logger, signal: AbortSignal): Promise<Running> {
  const app = await startApp(config, log, {}, signal);
  const { grpcPort, httpPort } = app;
  process.send?.({ kind: 'ready', grpcPort, httpPort } satisfies WorkerMessage);
  return { log, failed: app.failed, announcement: [], stop: () => app.stop() };
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
  if (adminPort !== undefined) lines.push(`    metrics   http://${toAddress(admin.host, adminPort)}/metrics`);
  if (workers > 1) lines.push(`    workers   ${workers} processes on these ports`);
  if (auth.guests && !auth.external) {
    const how = tls ? " ARGS='--tls-ca FILE'" : '';
    lines.push('', '  Chat from two terminals:', `    make chat USER=alice${how}`, `    make chat USER=bob${how}`);
  }
  return lines;
}
