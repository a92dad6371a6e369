import type { Logger } from 'pino';
import { AuthServiceDefinition } from '../../pkg/api/auth/v1/auth.ts';
import type { Bus } from '../client/bus/bus.ts';
import { traceCalls } from '../client/tracing/trace-calls.ts';
import type { Config } from '../config/config.ts';
import type { LiveConfig } from '../config/live/live-config.ts';
import { ProtobufEventEncoder } from '../converter/event.ts';
import { drainingError } from '../interceptor/drain.ts';
import { loadRules } from '../interceptor/validation.ts';
import { PostgresBanRepository } from '../repository/postgres/bans/postgres-ban-repository.ts';
import type { Hub } from '../service/delivery/hub.ts';
import type { SessionRegistry } from '../service/sessions/session-registry.ts';
import { chatServiceDefinition, createConnectChat } from '../transport/grpc/connect-chat.ts';
import { accountOperations } from '../transport/shared/operations/account-operations.ts';
import { chatOperations } from '../transport/shared/operations/chat-operations.ts';
import { served } from '../transport/shared/operations/served-service.ts';
import { unaryHandlers } from '../transport/shared/operations/unary-handlers.ts';
import { CommandReader } from '../transport/shared/streams/command-reader.ts';
import { LocalStreams } from '../transport/shared/streams/local-streams.ts';
import { openDatabase } from './database/open-database.ts';
import { once } from './lifecycle/once.ts';
import { ResourceStack } from './lifecycle/resource-stack.ts';
import { openChatConsole } from './parts/console/open-chat-console.ts';
import { openAdmin, tellReady } from './parts/open-admin.ts';
import { openBus } from './parts/open-bus.ts';
import { type ChatOverrides, openChat } from './parts/open-chat.ts';
import { openIdentity } from './parts/open-identity.ts';
import { openMetrics } from './parts/open-metrics.ts';
import { beginBeat, openNodes } from './parts/open-node.ts';
import { openRateLimiter } from './parts/open-rate-limiter.ts';
import { openRedis } from './parts/open-redis.ts';
import { openSinks } from './parts/open-sinks.ts';
import { openTracing } from './parts/open-tracing.ts';
import { openTransports } from './parts/open-transports.ts';
import { ownNode } from './parts/own-node.ts';
import { tellConnections } from './parts/tell-connections.ts';
import { tellState } from './parts/tell-state.ts';

/** Parts that the caller brings, such as a test: they are used in place of the configured ones. */
export interface Overrides extends ChatOverrides {
  bus?: Bus;
}

/** The running service. */
export interface App {
  grpcPort: number;
  /** Absent: this process has no endpoint for operators. */
  adminPort: number | undefined;
  /** Only in a worker: where it answers the process that has started it. */
  adminSocket: string | undefined;
  /** Absent: this process serves no HTTP. */
  httpPort: number | undefined;
  sessions: SessionRegistry;
  hub: Hub;
  /** Resolves with the reason when the service cannot continue. */
  failed: Promise<Error>;
  /**
   * Drains and stops: the service is no longer ready, each stream gets a time to reconnect, messages and calls under way are committed and
   * answered, and everything is closed. Twice is harmless.
   */
  stop(): Promise<void>;
}

/** Starts the service. Throws an error with a clear message if it cannot start, or if the signal aborts; nothing is left running then. */
export async function startApp(
  live: LiveConfig<Config>,
  log: Logger,
  overrides: Overrides = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<App> {
  const resources = new ResourceStack(log);
  try {
    return await assemble(live, log, overrides, resources, signal);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function assemble(
  live: LiveConfig<Config>,
  log: Logger,
  overrides: Overrides,
  resources: ResourceStack,
  signal: AbortSignal,
): Promise<App> {
  const config = live.current;
  const limits = live.follow((settings) => settings.limits);
  const rules = loadRules();
  const { metrics, expose } = openMetrics(config.admin);
  const tracing = await openTracing(live, 'chat-service', { log, resources });
  const isTraced = config.tracing.url !== undefined;
  const traced: typeof traceCalls = isTraced ? traceCalls : (_name, part) => part;
  const database = await openDatabase(config, log, resources, signal);
  const bus = await openBus(config.bus, {
    bus: overrides.bus,
    database,
    log,
    metrics,
    resources,
    tracing: isTraced && tracing,
  });
  const redis = await openRedis(config.redis, { log, resources });
  const limiter = openRateLimiter(live, redis);
  const bans = traced('BanRepository', new PostgresBanRepository(database));
  const identity = await openIdentity(live, { database, bans, limiter, log, resources });
  const { sessions, hub, ...chatServices } = await openChat(live, {
    bans,
    bus,
    database,
    identity,
    limiter,
    log,
    metrics,
    overrides,
    redis,
    resources,
    traced,
    tracing: isTraced && tracing,
  });
  const relay = await openSinks(config, { database, log, metrics, resources });
  const stream = {
    sessions,
    reader: new CommandReader(chatServices, rules('chat.v1.Command')),
    encoder: new ProtobufEventEncoder(),
  };
  const services = [
    served(chatServiceDefinition(limits), unaryHandlers(chatOperations, chatServices, limits), {
      connectChat: createConnectChat(stream),
    }),
    ...(config.roles.has('auth')
      ? [served(AuthServiceDefinition, unaryHandlers(accountOperations, identity.authService, limits), {})]
      : []),
  ];
  const nodes = openNodes(database);
  const transports = await openTransports(
    live,
    {
      bus,
      database,
      nodes,
      services,
      streams: (interceptor) => new LocalStreams({ ...stream, interceptor }),
      identity,
      limiter,
      log,
      metrics,
      resources,
      rules,
      tracing,
    },
    signal,
  );
  tellState(metrics, { sessions, hub, database });
  const countConnections = tellConnections(
    metrics,
    { grpc: transports.grpcPort, http: transports.httpPort },
    resources,
  );
  const notReady = () => transports.notReady();
  tellReady(metrics, notReady);
  const node = ownNode(config.roles);
  const state = () => ({
    sessions: sessions.size,
    connections: countConnections(),
    ready: notReady().length === 0,
  });
  beginBeat({ nodes, node, state, log, resources });
  const { caller } = transports;
  const names = services.map(({ definition }) => definition.fullName);
  const console = config.admin.enabled
    ? openChatConsole(live, {
        caller,
        services: names,
        identity,
        database,
        sessions,
        hub,
        nodes,
        relay,
        expose,
        notReady,
        node,
        log,
        resources,
      })
    : undefined;
  const admin = await openAdmin(live, { expose, notReady, console }, { log, resources });
  const stop = once(async () => {
    await transports.drain(() => sessions.closeAll('DRAINING', drainingError(), live.current.times.reconnectSpreadMs));
    await resources.close();
  });
  const { grpcPort, httpPort } = transports;
  const { port: adminPort, socketPath: adminSocket } = admin;
  return { grpcPort, httpPort, adminPort, adminSocket, sessions, hub, failed: database.lost, stop };
}
