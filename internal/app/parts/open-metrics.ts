import cluster from 'node:cluster';
import { type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { PromMetrics } from '../../client/metrics/prom-metrics.ts';
import type { AdminConfig } from '../../config/groups/admin-config.ts';
import type { Expose } from '../../transport/admin/routes/metrics.ts';

/** The metrics of this process, and how they are shown. */
export interface OpenedMetrics {
  metrics: Metrics;
  expose: Expose;
}

/** Without an endpoint nothing is counted. A worker's metrics are asked for by the process that has started it. */
export function openMetrics({ enabled }: AdminConfig): OpenedMetrics {
  if (!enabled) return { metrics: noMetrics, expose: async () => ({ contentType: 'text/plain', text: '' }) };
  const metrics = new PromMetrics();
  if (cluster.isWorker) metrics.share();
  return { metrics, expose: () => metrics.expose() };
}
