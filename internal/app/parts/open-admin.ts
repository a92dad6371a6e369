import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { type AdminConfig, usualAdminPort } from '../../config/groups/admin-config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import { AdminServer, type AdminSources } from '../../transport/admin/admin-server.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

/**
 * Starts the endpoint for operators. Returns its port; undefined if it is off, in a worker, or if another process has the usual port. Throws an error
 * with a clear message if it cannot listen.
 */
export async function openAdmin<Config extends { admin: AdminConfig }>(
  live: LiveConfig<Config>,
  sources: Omit<AdminSources, 'onError'>,
  { log, resources }: { log: Logger; resources: ResourceStack },
): Promise<number | undefined> {
  const { enabled, host, port } = live.current.admin;
  if (!enabled || cluster.isWorker) return undefined;
  const access = live.follow(({ admin: { token } }) => ({ token }));
  const onError = (err: unknown) => log.warn({ err }, 'the metrics cannot be read');
  try {
    const server = await AdminServer.listen({ ...sources, onError }, { host, port, access });
    resources.add('the endpoint for operators', () => server.stop());
    return server.port;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = `${host}:${port}`;
    if (code === 'EADDRINUSE' && port === usualAdminPort) {
      log.warn(
        { address: what },
        'another process has the usual port for metrics: set another ADMIN_PORT to have them',
      );
      return undefined;
    }
    const why = code === 'EADDRINUSE' ? 'the port is taken (set ADMIN_PORT)' : message;
    throw new Error(`cannot listen for metrics on ${what}: ${why}`, { cause });
  }
}
