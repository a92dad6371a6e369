import cluster from 'node:cluster';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Metrics } from '../../client/metrics/metrics.ts';
import { type AdminConfig, usualAdminPort } from '../../config/groups/admin-config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import { createAdminApp } from '../../transport/admin/admin-app.ts';
import { AdminServer } from '../../transport/admin/admin-server.ts';
import type { Console } from '../../transport/admin/console-parts.ts';
import { portGuards, socketGuards } from '../../transport/admin/guards.ts';
import { debugRoutes, type WorkerSockets } from '../../transport/admin/routes/debug.ts';
import { healthRoutes } from '../../transport/admin/routes/health.ts';
import { type Expose, metricsRoutes } from '../../transport/admin/routes/metrics.ts';
import { createHttpServer } from '../../transport/tls/create-http-server.ts';
import { ownProcess } from '../diagnostics/own-process.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { openCertificates } from './open-certificates.ts';

/** What the process tells operators. */
export interface AdminSources {
  expose: Expose;
  /** Why the process is not ready to serve clients; empty if it is. */
  notReady(): string[];
  /** The processes that this one has started, if it has. */
  workers?: WorkerSockets;
  console?: Console | undefined;
}

/** Where the process answers operators. Both are absent if it does not. */
export interface AdminEndpoint {
  port: number | undefined;
  /** A worker's socket, at which the process that has started it asks. */
  socketPath: string | undefined;
}

interface Deps {
  log: Logger;
  resources: ResourceStack;
}

const none: AdminEndpoint = { port: undefined, socketPath: undefined };

/** Adds whether the process is ready, for the same reasons as `/readyz`. */
export function tellReady(metrics: Metrics, notReady: AdminSources['notReady']): void {
  const help = '1 while the process is ready to serve clients, else 0.';
  metrics.gauge({ name: 'chat_ready', help, ofWorkers: 'min' }, () => (notReady().length === 0 ? 1 : 0));
}

/**
 * Starts the endpoint for operators: at the admin port or, in a worker, at a socket that only its own user can open. There is none if it is off, or if
 * another process has the usual port. Throws an error with a clear message if it cannot listen.
 */
export async function openAdmin<Config extends { admin: AdminConfig }>(
  live: LiveConfig<Config>,
  { expose, notReady, workers, console }: AdminSources,
  { log, resources }: Deps,
): Promise<AdminEndpoint> {
  const { enabled, host, port, tls } = live.current.admin;
  if (!enabled) return none;
  const onError = (err: unknown) => log.warn({ err }, 'a request of an operator has failed');
  if (cluster.isWorker) {
    const app = createAdminApp({
      routes: [...debugRoutes(ownProcess), ...(console?.routes ?? [])],
      guards: socketGuards(console?.authenticate),
      behindProcess: true,
      onError,
    });
    return { ...none, socketPath: await listenAtSocket(createServer(app), resources) };
  }
  const certificates = await openCertificates(tls, { live, log, resources });
  const credentials = live.follow(({ admin }) => ({
    token: admin.token,
    certificate: admin.tls?.clientCa !== undefined,
  }));
  const routes = [
    ...healthRoutes(notReady),
    ...metricsRoutes(expose),
    ...debugRoutes(ownProcess, workers),
    ...(console?.routes ?? []),
  ];
  const guards = portGuards(credentials, console?.authenticate);
  const app = createAdminApp({ routes, guards, page: console?.page, onError });
  try {
    const server = await listen(createHttpServer(certificates, app), { host, port }, resources);
    return { ...none, port: server.port };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = `${host}:${port}`;
    if (code === 'EADDRINUSE' && port === usualAdminPort) {
      log.warn(
        { address: what },
        'another process has the usual port for metrics: set another ADMIN_PORT to have them',
      );
      return none;
    }
    const why = code === 'EADDRINUSE' ? 'the port is taken (set ADMIN_PORT)' : message;
    throw new Error(`cannot listen for metrics on ${what}: ${why}`, { cause });
  }
}

async function listenAtSocket(server: Server, resources: ResourceStack): Promise<string> {
  // Other users cannot enter a folder that mkdtemp makes.
  const folder = await mkdtemp(join(tmpdir(), 'chat-worker-'));
  // A worker ends without further ado when the process that has started it is killed.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'admin.sock');
  // Exclusive: the process that has started the worker would else listen in its place.
  await listen(server, { path, exclusive: true }, resources);
  return path;
}

async function listen(server: Server, address: ListenOptions, resources: ResourceStack): Promise<AdminServer> {
  const admin = await AdminServer.listen(server, address);
  resources.add('the endpoint for operators', () => admin.stop());
  return admin;
}
