import type { MetricPoint } from '../../../../client/metrics/history/metric-point.ts';
import type { Route } from '../../route.ts';

/** What the process knows about itself. */
export interface OwnState {
  nodeId: string;
  version: string;
  roles: readonly string[];
  startedAt: Date;
  notReady(): string[];
  /** Samples of the last quarter of an hour, the oldest first. */
  history(): readonly MetricPoint[];
}

/** Whether this process is ready, what it is, and how it has been doing. */
export function overviewRoutes({ nodeId, version, roles, startedAt, notReady, history }: OwnState): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/overview',
      access: 'admin',
      handle(_request, response) {
        const reasons = notReady();
        const uptimeSeconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
        const ready = reasons.length === 0;
        response.json({ nodeId, ready, reasons, version, roles, startedAt, uptimeSeconds, history: history() });
      },
    },
  ];
}
