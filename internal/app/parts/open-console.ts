import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import { MetricHistory } from '../../client/metrics/history/metric-history.ts';
import { authenticateAdmins } from '../../transport/admin/console/authenticate.ts';
import { Operations } from '../../transport/admin/console/operations.ts';
import { overviewRoutes } from '../../transport/admin/console/rooms/overview.ts';
import { signInRoutes } from '../../transport/admin/console/rooms/sign-in.ts';
import type { Authenticate } from '../../transport/admin/guards.ts';
import type { Route } from '../../transport/admin/route.ts';
import type { Expose } from '../../transport/admin/routes/metrics.ts';
import type { UnaryCaller } from '../../transport/shared/calls/unary-caller.ts';
import { webPageRouter } from '../../transport/shared/http/web-page.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import type { Identity } from './open-identity.ts';
import type { OwnNode } from './own-node.ts';

interface Deps {
  /** Calls the contract's operations in this process. */
  caller: UnaryCaller;
  /** Full names of the services that it serves. */
  services: readonly string[];
  identity: Identity;
  expose: Expose;
  notReady(): string[];
  node: OwnNode;
  log: Logger;
  resources: ResourceStack;
}

/** The administrators' console: its page, and its API, which only administrators may use. */
export interface Console {
  page: RequestHandler;
  routes: readonly Route[];
  authenticate: Authenticate;
}

/** A quarter of an hour. */
const history = { everyMs: 5_000, maxPoints: 180 };

/** The folder in which `make web` builds the pages. */
const pages = fileURLToPath(new URL('../../../cmd/web/dist', import.meta.url));
const descriptors = new URL('../../../pkg/api/descriptors.binpb', import.meta.url);

/** Opens the console. Each of its rooms is a file in `rooms`: of the API, of the page and of `cmd/admin`. */
export function openConsole({ caller, services, identity, expose, notReady, node, log, resources }: Deps): Console {
  const onError = (err: unknown) => log.warn({ err }, 'could not read the metrics for the console');
  const metrics = new MetricHistory({ expose, onError }, history);
  resources.add("the console's samples", () => metrics.stop());
  const operations = new Operations({ transcoder: Transcoder.create(readFileSync(descriptors), services), caller });
  return {
    page: webPageRouter(pages, { path: '/admin/', file: 'console/index.html' }),
    authenticate: authenticateAdmins(identity.verifier, identity.revocations),
    routes: [...signInRoutes(operations), ...overviewRoutes({ ...node, notReady, history: () => metrics.points })],
  };
}
