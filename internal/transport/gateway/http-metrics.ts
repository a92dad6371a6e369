import type { RequestHandler, Response } from 'express';
import { type Metrics, secondsBuckets } from '../../client/metrics/metrics.ts';

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Names the route of a request for the metrics: the path as the contract writes it, with variables in braces. */
export function nameRoute(res: Response, template: string): void {
  res.locals.route = template;
}

/**
 * Counts requests by method, route and status. Requests that no route answers count as `other`, so that no path of a client becomes a value of a label.
 * Server-sent events are counted when they end, and their time is not measured.
 */
export function countingHttp(metrics: Metrics): RequestHandler {
  const requests = metrics.counter({
    name: 'http_requests_total',
    help: 'HTTP requests that were answered, except WebSocket handshakes.',
    labels: ['method', 'route', 'code'],
  });
  const seconds = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'How long the answer to an HTTP request took, in seconds; server-sent events are left out.',
    labels: ['method', 'route'],
    buckets: secondsBuckets,
  });
  return (req, res, next) => {
    const begun = performance.now();
    res.once('close', () => {
      const method = methods.has(req.method) ? req.method : 'other';
      const route: string = res.locals.route ?? req.route?.path ?? 'other';
      requests.add(1, { method, route, code: String(res.statusCode) });
      const isStream = res.getHeader('content-type')?.toString().startsWith('text/event-stream');
      if (!isStream) seconds.observe((performance.now() - begun) / 1_000, { method, route });
    });
    next();
  };
}
