import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { LiveConfig } from '../config/live/live-config.ts';
import { compose } from '../interceptor/call.ts';
import { PostgresMessageRepository } from '../repository/postgres/messages/postgres-message-repository.ts';
import { GrpcServer } from '../transport/grpc/grpc-server.ts';
import { openDatabase } from './database/open-database.ts';
import { closingGraceMs } from './lifecycle/closing-grace.ts';
import { DatabaseWatch } from './lifecycle/database-watch.ts';
import { once } from './lifecycle/once.ts';
import { ResourceStack } from './lifecycle/resource-stack.ts';
import { openBackgroundConsole } from './parts/console/open-background-console.ts';
import { openAdmin, tellReady } from './parts/open-admin.ts';
import { openBus } from './parts/open-bus.ts';
import { openCertificates } from './parts/open-certificates.ts';
import { openIngest } from './parts/open-ingest.ts';
import { openMetrics } from './parts/open-metrics.ts';
import { beginBeat, openNodes } from './parts/open-node.ts';
import { openSinks } from './parts/open-sinks.ts';
import { openTracing } from './parts/open-tracing.ts';
import { ownNode } from './parts/own-node.ts';
import { tellPools } from './parts/tell-state.ts';

/** The running writer, relay, or both. */
export interface Background {
  /** Serves grpc.health.v1 only. */
  grpcPort: number;
  /** Absent: this process has no endpoint for operators. */
  adminPort: number | undefined;
  stop(): Promise<void>;
}

/**
 * Starts the roles without clients: the writer of accepted messages and the relay of changes. The chat services run in other processes. Throws an
 * error with a clear message if it cannot start, or if the signal aborts; nothing is left running then.
 */
export async function startBackground(live: LiveConfig<Config>, log: Logger, signal: AbortSignal): Promise<Background> {
  const config = live.current;
  const resources = new ResourceStack(log);
  try {
    const tracing = await openTracing(live, 'message-writer', { log, resources });
    const database = await openDatabase(config, log, resources, signal);
    await new PostgresMessageRepository(database).warmUp(database.pool.options.max);
    const { metrics, expose } = openMetrics(config.admin);
    const traces = config.tracing.url !== undefined && tracing;
    const bus = await openBus(config.bus, {
      database,
      log,
      metrics,
      resources,
      tracing: traces,
    });
    const ingest = config.roles.has('writer')
      ? await openIngest(config, { bus, database, log, metrics, resources, tracing: traces })
      : undefined;
    const relay = await openSinks(config, { database, log, metrics, resources });
    const certificates = await openCertificates(config.tls, { live, log, resources });
    const health = new GrpcServer(
      { services: [], interceptor: compose([]) },
      {
        host: config.listen.host,
        port: config.listen.grpcPort,
        credentials: certificates?.grpcCredentials(),
        maxFrameBytes: config.limits.maxFrameBytes,
        maxStreamsPerConnection: config.limits.maxStreamsPerConnection,
        keepaliveMs: config.times.keepaliveMs,
        trustedProxies: [],
      },
    );
    resources.add('the gRPC server', () => health.stop(closingGraceMs));
    signal.throwIfAborted();
    const grpcPort = await health.listen();
    let isReachable = true;
    const onChange = (reachable: boolean) => {
      isReachable = reachable;
      health.setServing(reachable);
    };
    tellPools(metrics, database);
    const notReady = () => (isReachable ? [] : ['PostgreSQL is away']);
    tellReady(metrics, notReady);
    const node = ownNode(config.roles);
    const state = () => ({ sessions: 0, connections: 0, ready: isReachable });
    const nodes = openNodes(database);
    beginBeat({ nodes, node, state, log, resources });
    const own = { expose, notReady, node, log, resources };
    const console = config.admin.enabled
      ? await openBackgroundConsole(live, { database, nodes, relay, ...own })
      : undefined;
    const { port: adminPort } = await openAdmin(live, { expose, notReady, console }, { log, resources });
    const watch = new DatabaseWatch({ ask: () => database.readPool.query('select 1'), log, metrics, onChange });
    resources.add('the watch over the database', () => watch.stop());
    ingest?.writers.start();
    health.setServing(true);
    const stop = once(() => {
      health.setServing(false);
      return resources.close();
    });
    return { grpcPort, adminPort, stop };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
