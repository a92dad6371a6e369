import type { Logger } from 'pino';
import { MetricHistory } from '../../../client/metrics/history/metric-history.ts';
import { PrometheusSeries } from '../../../client/metrics/history/prometheus-series.ts';
import type { AdminConfig } from '../../../config/groups/admin-config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import { shownSettings } from '../../../config/live/shown-settings.ts';
import type { Rooms } from '../../../transport/admin/console/rooms/console-routes.ts';
import { dashboardsRoutes } from '../../../transport/admin/console/rooms/dashboards.ts';
import { overviewRoutes } from '../../../transport/admin/console/rooms/overview.ts';
import { settingsRoutes } from '../../../transport/admin/console/rooms/settings.ts';
import type { Expose } from '../../../transport/admin/routes/metrics.ts';
import type { ResourceStack } from '../../lifecycle/resource-stack.ts';
import type { OwnNode } from '../own-node.ts';

/** What every process can tell about itself. */
export interface OwnProcess {
  expose: Expose;
  notReady(): string[];
  node: OwnNode;
  log: Logger;
  resources: ResourceStack;
}

/** A quarter of an hour. */
const history = { everyMs: 5_000, maxPoints: 180 };

/** How long Prometheus may take for a query, and how much of its answer is taken. */
const prometheus = { timeoutMs: 10_000, maxSeries: 20, maxBytes: 4_194_304 };
/** Four scrapes of 15 seconds, as in `deploy/prometheus`. */
const minWindowSeconds = 60;

/** The rooms that every console has: they need nothing but the process itself. */
export function openOwnRooms(
  live: Pick<LiveConfig<{ admin: AdminConfig }>, 'env' | 'current'>,
  { expose, notReady, node, log, resources }: OwnProcess,
): Pick<Rooms, 'overview' | 'dashboards' | 'settings'> {
  const onError = (err: unknown) => log.warn({ err }, 'could not read the metrics for the console');
  const metrics = new MetricHistory({ expose, onError }, history);
  resources.add("the console's samples", () => metrics.stop());
  const { prometheusUrl: url } = live.current.admin;
  const series = url === undefined ? undefined : new PrometheusSeries({ url, ...prometheus });
  return {
    dashboards: dashboardsRoutes({
      read: series && ((query, range, signal) => series.read(query, range, signal)),
      minWindowSeconds,
    }),
    overview: overviewRoutes({ ...node, notReady, history: () => metrics.points }),
    settings: settingsRoutes(() => shownSettings(live.env)),
  };
}
