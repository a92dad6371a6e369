import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { once } from '../lifecycle/once.ts';
import { ResourceStack } from '../lifecycle/resource-stack.ts';
import { startEmbedded } from '../parts/open-database.ts';
import { type Ports, Workers } from './workers.ts';

/** The service as several processes on the same ports, over one database. */
export interface Workforce extends Ports {
  failed: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts the bundled database if there is no other, and the workers. Throws, leaving nothing behind, when one does not start. */
export async function startWorkers(config: Config, log: Logger, signal: AbortSignal): Promise<Workforce> {
  const resources = new ResourceStack(log);
  try {
    const database = config.database.dsn ? undefined : await startEmbedded(config.database, log, resources, signal);
    const env: Record<string, string> = database ? { POSTGRES_DSN: database.dsn } : {};
    const workers = new Workers({ count: config.workers, env, log });
    resources.add('the workers', () => workers.stop());
    const ports = await workers.start();
    signal.throwIfAborted();
    return {
      ...ports,
      failed: database?.lost ?? new Promise<Error>(() => {}),
      stop: once(() => resources.close()),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
