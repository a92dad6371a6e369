import type { Logger } from 'pino';
import { AuthServiceDefinition } from '../../pkg/api/auth/v1/auth.ts';
import type { Config } from '../config/config.ts';
import type { LiveConfig } from '../config/live/live-config.ts';
import { loadRules } from '../interceptor/validation.ts';
import { accountOperations } from '../transport/shared/operations/account-operations.ts';
import { served } from '../transport/shared/operations/served-service.ts';
import { unaryHandlers } from '../transport/shared/operations/unary-handlers.ts';
import { authSchema, openDatabase } from './database/open-database.ts';
import { once } from './lifecycle/once.ts';
import { ResourceStack } from './lifecycle/resource-stack.ts';
import { openAuthConsole } from './parts/console/open-auth-console.ts';
import { openAdmin, tellReady } from './parts/open-admin.ts';
import { openIdentity } from './parts/open-identity.ts';
import { openMetrics } from './parts/open-metrics.ts';
import { openRateLimiter } from './parts/open-rate-limiter.ts';
import { openRedis } from './parts/open-redis.ts';
import { openTracing } from './parts/open-tracing.ts';
import { openTransports } from './parts/open-transports.ts';
import { ownNode } from './parts/own-node.ts';
import { tellConnections } from './parts/tell-connections.ts';
import { tellPools } from './parts/tell-state.ts';

/** The running auth-server. */
export interface AuthServer {
  grpcPort: number;
  /** Absent: this process serves no HTTP. */
  httpPort: number | undefined;
  /** Absent: this process has no endpoint for operators. */
  adminPort: number | undefined;
  /** Resolves with the reason when the auth-server cannot continue. */
  failed: Promise<Error>;
  stop(): Promise<void>;
}

/**
 * Starts the accounts and the token issuer without chats, for chat services that use its keys (AUTH_JWKS_URL). Throws an error with a clear
 * message if it cannot start, or if the signal aborts; nothing is left running then.
 */
export async function startAuthServer(
  live: LiveConfig<Config>,
  log: Logger,
  signal: AbortSignal = new AbortController().signal,
): Promise<AuthServer> {
  const config = live.current;
  const resources = new ResourceStack(log);
  try {
    const tracing = await openTracing(live, 'auth-server', { log, resources });
    const database = await openDatabase(config, log, resources, signal, authSchema);
    const redis = await openRedis(config.redis, { log, resources });
    const limiter = openRateLimiter(live, redis);
    const identity = await openIdentity(live, { database, limiter, log, resources });
    const handlers = unaryHandlers(
      accountOperations,
      identity.authService,
      live.follow(({ limits }) => limits),
    );
    const services = [served(AuthServiceDefinition, handlers, {})];
    const { metrics, expose } = openMetrics(config.admin);
    const transports = await openTransports(
      live,
      { database, services, identity, limiter, log, metrics, resources, rules: loadRules(), tracing },
      signal,
    );
    const { grpcPort, httpPort } = transports;
    tellPools(metrics, database);
    tellConnections(metrics, { grpc: grpcPort, http: httpPort }, resources);
    const notReady = () => transports.notReady();
    tellReady(metrics, notReady);
    const console =
      config.admin.enabled &&
      openAuthConsole(live, {
        caller: transports.caller,
        services: services.map(({ definition }) => definition.fullName),
        identity,
        expose,
        notReady,
        node: ownNode(['auth']),
        log,
        resources,
      });
    const { port: adminPort } = await openAdmin(
      live,
      { expose, notReady, console: console || undefined },
      { log, resources },
    );
    const stop = once(async () => {
      await transports.drain(async () => {});
      await resources.close();
    });
    return { grpcPort, httpPort, adminPort, failed: database.lost, stop };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
