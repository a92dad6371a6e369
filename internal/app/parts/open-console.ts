import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import { MetricHistory } from '../../client/metrics/history/metric-history.ts';
import type { Config } from '../../config/config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import { shownSettings } from '../../config/live/shown-settings.ts';
import { PostgresAuditRepository } from '../../repository/postgres/audit/postgres-audit-repository.ts';
import { PostgresBackgroundWorkRepository } from '../../repository/postgres/background/postgres-background-work-repository.ts';
import { PostgresChatRepository } from '../../repository/postgres/chats/postgres-chat-repository.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { PostgresUserRepository } from '../../repository/postgres/users/postgres-user-repository.ts';
import { UserDirectory } from '../../service/accounts/user-directory.ts';
import { BusyChats } from '../../service/delivery/busy-chats.ts';
import type { Hub } from '../../service/delivery/hub.ts';
import type { NodeBeat } from '../../service/nodes/node-beat.ts';
import type { SessionRegistry } from '../../service/sessions/session-registry.ts';
import { StreamDirectory } from '../../service/sessions/stream-directory.ts';
import { authenticateAdmins } from '../../transport/admin/console/authenticate.ts';
import { Operations } from '../../transport/admin/console/operations.ts';
import { backgroundRoutes, type OwnRelay } from '../../transport/admin/console/rooms/background.ts';
import { chatsRoutes } from '../../transport/admin/console/rooms/chats.ts';
import { moderationRoutes } from '../../transport/admin/console/rooms/moderation.ts';
import { nodesRoutes } from '../../transport/admin/console/rooms/nodes.ts';
import { overviewRoutes } from '../../transport/admin/console/rooms/overview.ts';
import { settingsRoutes } from '../../transport/admin/console/rooms/settings.ts';
import { signInRoutes } from '../../transport/admin/console/rooms/sign-in.ts';
import { streamsRoutes } from '../../transport/admin/console/rooms/streams.ts';
import { usersRoutes } from '../../transport/admin/console/rooms/users.ts';
import type { Authenticate } from '../../transport/admin/guards.ts';
import type { Route } from '../../transport/admin/route.ts';
import type { Expose } from '../../transport/admin/routes/metrics.ts';
import type { UnaryCaller } from '../../transport/shared/calls/unary-caller.ts';
import { webPageRouter } from '../../transport/shared/http/web-page.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { redactText } from '../redaction/redact.ts';
import type { Identity } from './open-identity.ts';
import type { OpenedRelay } from './open-sinks.ts';
import type { OwnNode } from './own-node.ts';

interface Deps {
  /** Calls the contract's operations in this process. */
  caller: UnaryCaller;
  /** Full names of the services that it serves. */
  services: readonly string[];
  identity: Identity;
  database: Database;
  sessions: SessionRegistry;
  hub: Hub;
  nodes: Pick<NodeBeat, 'list'>;
  /** Absent: this process exports nothing. */
  relay: OpenedRelay | undefined;
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

/** The rate of a chat is that of its last minute. */
const busy = { everyMs: 10_000, samples: 7 };

/** Opens the console. Each of its rooms is a file in `rooms`: of the API, of the page and of `cmd/admin`. */
export function openConsole(live: LiveConfig<Config>, deps: Deps): Console {
  const { caller, services, identity, database, sessions, hub, nodes, relay, expose, notReady, node, log, resources } =
    deps;
  const onError = (err: unknown) => log.warn({ err }, 'could not read the metrics for the console');
  const metrics = new MetricHistory({ expose, onError }, history);
  resources.add("the console's samples", () => metrics.stop());
  const busyChats = new BusyChats(hub, busy);
  resources.add("the console's samples of chats", async () => busyChats.stop());
  const operations = new Operations({ transcoder: Transcoder.create(readFileSync(descriptors), services), caller });
  const audit = new PostgresAuditRepository(database);
  const users = new PostgresUserRepository(database);
  const limits = live.follow((settings) => settings.limits);
  const { verifier, revocations, accounts } = identity;
  const directory = new UserDirectory({
    users,
    chats: new PostgresChatRepository({ database, users }, limits),
    audit,
    accounts,
    onSessionsEnded: () => revocations.refresh('sessions'),
  });
  return {
    page: webPageRouter(pages, { path: '/admin/', file: 'console/index.html' }),
    authenticate: authenticateAdmins(verifier, revocations),
    routes: [
      ...signInRoutes(operations),
      ...overviewRoutes({ ...node, notReady, history: () => metrics.points }),
      ...nodesRoutes(node.nodeId, () => nodes.list()),
      ...streamsRoutes(new StreamDirectory({ sessions, audit })),
      ...chatsRoutes(operations, (most) => busyChats.list(most)),
      ...usersRoutes(directory),
      ...moderationRoutes(operations),
      ...backgroundRoutes(new PostgresBackgroundWorkRepository(database), () => toOwnRelay(relay)),
      ...settingsRoutes(() => shownSettings(live.env)),
    ],
  };
}

/** The message of a failure may name an address with its password. */
function toOwnRelay(opened: OpenedRelay | undefined): OwnRelay | undefined {
  if (!opened) return undefined;
  const { lagSeconds, failure } = opened.relay;
  return { sink: opened.sink, lagSeconds, failure: failure && redactText(failure) };
}
