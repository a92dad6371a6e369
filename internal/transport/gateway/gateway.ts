import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import compression from 'compression';
import cors from 'cors';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { Status as GrpcStatus } from 'nice-grpc-common';
import type { Logger } from 'pino';
import type { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { UnaryCaller } from '../shared/calls/unary-caller.ts';
import { toPeer } from '../shared/http/peer.ts';
import { beginRequest, finishRequest, type RequestTracing } from '../shared/http/request-spans.ts';
import { HttpFailure } from '../shared/http/send-failure.ts';
import { webPageRouter } from '../shared/http/web-page.ts';
import { docsRouter } from './docs.ts';
import { countingHttp } from './http-metrics.ts';
import { restHandler } from './rest-handler.ts';

export interface GatewayOptions {
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  /** Origins whose pages may call; `*`: any. Empty: only pages of the service itself. */
  corsOrigins: readonly string[];
  maxBodyBytes: number;
  /** The address at which clients reach the service. */
  publicUrl: string;
  /** The OpenAPI document. */
  openApi: string;
  /** The folder of the web page; undefined: no page is served. */
  webPage: string | undefined;
}

interface Deps {
  transcoder: Transcoder;
  caller: UnaryCaller;
  /** Answers requests for a chat's server-sent events; undefined in a process without chats. */
  events: RequestHandler | undefined;
  /** Absent: requests have no spans. */
  tracing?: RequestTracing | undefined;
  log: Logger;
  metrics: Metrics;
}

const exposedHeaders = ['x-request-id', 'x-trace-id', 'Retry-After', 'ETag', 'WWW-Authenticate'];

/** Creates the Express application: the contract as REST, its documentation, the web page, server-sent events and health checks. */
export function createGateway(
  { transcoder, caller, events, tracing, log, metrics }: Deps,
  options: GatewayOptions,
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', [...options.trustedProxies]);
  app.set('case sensitive routing', true);
  app.use(countingHttp(metrics));
  app.use(requestId);
  app.use(
    helmet({
      // Answers are data. A browser that shows one as a page must load nothing for it.
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      strictTransportSecurity: isPublic(options.publicUrl),
      crossOriginResourcePolicy: { policy: options.corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
    }),
  );
  app.use(corsPolicy(options.corsOrigins));
  app.use(compression());
  app.get('/healthz', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ status: 'SERVING' });
  });
  app.get('/readyz', (_req, res) => {
    const { ready, bus } = caller;
    res
      .status(ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      // A node whose bus is unreachable is ready: events from other nodes only arrive later.
      .json({ status: ready ? 'SERVING' : 'NOT_SERVING', bus });
  });
  app.use(docsRouter(options.openApi));
  if (options.webPage !== undefined) app.use(webPageRouter(options.webPage));
  if (tracing) app.use(traceRequests(tracing));
  if (events) app.get('/v1/chats/:chatId/events', events);
  app.use(express.raw({ type: () => true, limit: options.maxBodyBytes }));
  const rest = restHandler({ transcoder, caller, log });
  app.use(rest);
  app.use(bodyErrors(transcoder, options.maxBodyBytes));
  return app;
}

/** Whether to send HSTS. Not for localhost or an IP address: a browser would then demand HTTPS of every other program there. */
function isPublic(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && hostname.includes('.') && isIP(hostname) === 0;
}

const saneId = /^[\w.:-]{1,128}$/;

/** Sets `x-request-id` of every answer: the request's id if it is valid, else a new one. */
const requestId: RequestHandler = (req, res, next) => {
  const given = req.get('x-request-id');
  res.set('x-request-id', given !== undefined && saneId.test(given) ? given : randomUUID());
  next();
};

/** Opens a span for each request. The route is known once a handler has matched it. */
function traceRequests(tracing: RequestTracing): RequestHandler {
  return (req, res, next) => {
    const { method } = req;
    const span = beginRequest(tracing, method, req.headers);
    if (span) {
      const client = toPeer(req);
      res.once('close', () => {
        const route = res.locals.route ?? req.route?.path;
        finishRequest(span, { method, route, status: res.headersSent ? res.statusCode : undefined, client });
      });
    }
    next();
  };
}

/** Allows no cross-origin calls until origins are configured. Never allows credentials: tokens are sent in a header, not in cookies. */
function corsPolicy(origins: readonly string[]): RequestHandler {
  if (origins.length === 0) return (_req, _res, next) => next();
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
  });
}

/** Answers failures to read a body in the form of all other errors. */
function bodyErrors(transcoder: Transcoder, maxBodyBytes: number): ErrorRequestHandler {
  return (error: { type?: string; status?: number }, _req, res, _next) => {
    // The client has left in the middle of an answer.
    if (res.headersSent) return void res.destroy();
    const { status, code, message } = bodyFailure(error, maxBodyBytes);
    res.status(status).set('Cache-Control', 'no-store').type('json').send(transcoder.encodeStatus({ code, message }));
  };
}

function bodyFailure({ type, status }: { type?: string; status?: number }, maxBodyBytes: number): HttpFailure {
  switch (type) {
    case 'entity.too.large':
      return new HttpFailure(413, GrpcStatus.RESOURCE_EXHAUSTED, `the body must have at most ${maxBodyBytes} bytes`);
    case 'encoding.unsupported':
      return new HttpFailure(415, GrpcStatus.INVALID_ARGUMENT, 'the Content-Encoding of the body is not known');
    default:
      return status !== undefined && status < 500
        ? new HttpFailure(status, GrpcStatus.INVALID_ARGUMENT, 'the body cannot be read')
        : new HttpFailure(500, GrpcStatus.INTERNAL, 'internal error');
  }
}
