import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { Refusal } from './refusal.ts';
import type { Access, Guard, Route } from './route.ts';

interface Deps {
  routes: readonly Route[];
  guards: Record<Access, Guard>;
  /** The console's page. */
  page?: RequestHandler | undefined;
  /** Whether another process, which says by X-Forwarded-For who asks, sends all requests. */
  behindProcess?: boolean;
  /** A request has failed for another reason than a refusal. */
  onError(error: unknown): void;
}

/** The application behind the admin port. Refusals and failures are answered as JSON: `error`, and `fields` if parameters are at fault. */
export function createAdminApp({ routes, guards, page, behindProcess = false, onError }: Deps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', behindProcess);
  app.use((_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  if (page) app.use(page);
  for (const { method, path, access, handle } of routes) {
    app[method === 'GET' ? 'get' : 'post'](path, async (request, response) => {
      await guards[access](request, response);
      await handle(request, response);
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
    app.all(path, (_request, response) => {
      response.set('allow', methods.join(', '));
      throw new Refusal(405, `only ${methods.join(' and ')}`);
    });
  }
  app.use(() => {
    throw new Refusal(404, `there are ${routes.map(({ method, path }) => `${method} ${path}`).join(', ')}`);
  });
  const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
    // The client has gone, which has ended the work.
    if (response.destroyed) return;
    const refusal = error instanceof Refusal ? error : new Refusal(500, 'the request has failed; the log says why');
    if (refusal !== error) onError(error);
    if (response.headersSent) return void response.destroy();
    if (refusal.status === 401) response.set('www-authenticate', 'Bearer');
    const { message, fields } = refusal;
    response.status(refusal.status).json({ error: message, ...(fields.length > 0 && { fields }) });
  };
  app.use(answerError);
  return app;
}
