import type { Logger } from 'pino';
import { WorkersMetrics } from '../../client/metrics/prom-metrics.ts';
import type { Config } from '../../config/config.ts';
import type { Settings } from '../../config/live/settings.ts';
import { forwardedConsole } from '../../transport/admin/routes/forwarded-console.ts';
import { startEmbedded } from '../database/open-database.ts';
import { once } from '../lifecycle/once.ts';
import { ResourceStack } from '../lifecycle/resource-stack.ts';
import { consolePage } from '../parts/console/console.ts';
import { openAdmin } from '../parts/open-admin.ts';
import { type Ports, Workers } from './workers.ts';

/** The running service as several processes that share ports and a database. */
export interface Workforce extends Ports {
  /** Absent: there is no endpoint for operators. */
  adminPort: number | undefined;
  /** Resolves with the reason when the service cannot continue. */
  failed: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts the workers, and before them the bundled PostgreSQL unless POSTGRES_DSN is set. Throws if one does not start; nothing is left running then. */
export async function startWorkers(settings: Settings<Config>, log: Logger, signal: AbortSignal): Promise<Workforce> {
  const { live } = settings;
  const config = live.current;
  const resources = new ResourceStack(log);
  try {
    const database = config.database.dsn ? undefined : await startEmbedded(config.database, log, resources, signal);
    // Workers have this process's environment, and read no file: they have the same settings as this process.
    const env = { CONFIG_FILE: '', ...(database && { POSTGRES_DSN: database.dsn }) };
    const workers = new Workers({ count: config.workers, env, settings: () => settings.reloadableValues, log });
    live.onReload(() => workers.reload());
    resources.add('the workers', () => workers.stop());
    const ports = await workers.start();
    signal.throwIfAborted();
    const metrics = new WorkersMetrics();
    const notReady = () =>
      workers.ready < config.workers ? [`${workers.ready} of ${config.workers} workers are ready`] : [];
    const { sockets } = workers;
    const console = { page: consolePage(), routes: forwardedConsole(sockets) };
    const sources = { expose: () => metrics.expose(), notReady, workers: sockets, console };
    const { port: adminPort } = await openAdmin(live, sources, { log, resources });
    return {
      ...ports,
      adminPort,
      failed: database?.lost ?? new Promise<Error>(() => {}),
      stop: once(() => resources.close()),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
