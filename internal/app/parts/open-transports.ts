import type { Logger } from 'pino';
import type { Validate } from '../../../pkg/proto-rules/compile-rules.ts';
import type { Bus } from '../../client/bus/bus.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { Config } from '../../config/config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import { auth } from '../../interceptor/auth.ts';
import { compose, type Interceptor } from '../../interceptor/call.ts';
import { deadline } from '../../interceptor/deadline.ts';
import { Drain } from '../../interceptor/drain.ts';
import { errors } from '../../interceptor/errors.ts';
import { logging } from '../../interceptor/logging.ts';
import { counting } from '../../interceptor/metrics.ts';
import { rateLimit } from '../../interceptor/rate-limit.ts';
import { tracing } from '../../interceptor/tracing.ts';
import { validation } from '../../interceptor/validation.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import type { NodeTeller } from '../../service/nodes/node-beat.ts';
import { GrpcServer } from '../../transport/grpc/grpc-server.ts';
import { LocalCaller } from '../../transport/shared/calls/local-caller.ts';
import type { UnaryCaller } from '../../transport/shared/calls/unary-caller.ts';
import type { ServedService } from '../../transport/shared/operations/served-service.ts';
import type { LiveStreams } from '../../transport/shared/streams/live-streams.ts';
import { closingGraceMs } from '../lifecycle/closing-grace.ts';
import { DatabaseWatch } from '../lifecycle/database-watch.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { withinTime } from '../lifecycle/within-time.ts';
import { openCertificates } from './open-certificates.ts';
import { openGateway } from './open-gateway.ts';
import type { Identity } from './open-identity.ts';

interface Deps {
  /** Absent in an auth-server, which has no chats. */
  bus?: Bus;
  database: Database;
  /** Where gateways in front of this process are recorded. Absent in an auth-server, which has no such list. */
  nodes?: NodeTeller;
  services: readonly ServedService[];
  /** Streams for WebSocket and server-sent events. Absent in an auth-server, which has no chats. */
  streams?: (interceptor: Interceptor) => LiveStreams;
  identity: Identity;
  limiter: RateLimiter;
  log: Logger;
  metrics: Metrics;
  resources: ResourceStack;
  rules: (typeName: string) => Validate;
  tracing: Tracing;
}

/** The servers for gRPC and, unless it is configured off, HTTP. Their health follows whether the database can be reached. */
export interface Transports {
  grpcPort: number;
  httpPort: number | undefined;
  /** Calls the services in this process. */
  caller: UnaryCaller;
  /** Why the service is not ready; empty if it is. */
  notReady(): string[];
  /**
   * Makes the service not ready, refuses new calls, and waits for the calls under way and for `closeStreams`: at most DRAIN_TIMEOUT_MS.
   */
  drain(closeStreams: () => Promise<void>): Promise<void>;
}

/** Starts the servers for the services. Throws an error with a clear message if it cannot listen on an address. */
export async function openTransports(
  live: LiveConfig<Config>,
  { bus, database, nodes, services, streams, identity, limiter, log, metrics, resources, rules, tracing: traces }: Deps,
  signal: AbortSignal,
): Promise<Transports> {
  const config = live.current;
  const drain = new Drain();
  const interceptor = compose([
    tracing(traces),
    logging(log),
    counting(metrics),
    errors(log, metrics),
    deadline(config.times.callTimeoutMs),
    drain.interceptor,
    auth(identity.verifier, identity.revocations),
    validation(rules),
    rateLimit(limiter),
  ]);
  const { http, limits, times } = config;
  const { host, grpcPort: port } = config.listen;
  const certificates = await openCertificates(config.tls, { live, log, resources });
  const grpc = new GrpcServer(
    { services, interceptor, nodes },
    {
      host,
      port,
      credentials: certificates?.grpcCredentials(),
      maxFrameBytes: limits.maxFrameBytes,
      maxStreamsPerConnection: limits.maxStreamsPerConnection,
      keepaliveMs: times.keepaliveMs,
      trustedProxies: http.trustedProxies,
    },
  );
  resources.add('the gRPC server', () => grpc.stop(closingGraceMs));
  signal.throwIfAborted();
  const grpcPort = await grpc.listen();
  let serving = false;
  let draining = false;
  let httpPort: number | undefined;
  const caller = new LocalCaller(services, interceptor, { isReady: () => serving, bus });
  if (http.enabled) {
    const names = services.map(({ definition }) => definition.fullName);
    httpPort = await openGateway(
      {
        services: names,
        caller,
        streams: streams?.(interceptor),
        certificates,
        tracing: config.tracing.url === undefined ? undefined : traces,
        log,
        metrics,
        resources,
      },
      {
        host,
        http,
        maxBodyBytes: limits.maxFrameBytes,
        maxCommandsPerFrame: limits.maxCommandsPerFrame,
        keepaliveMs: times.keepaliveMs,
        graceMs: closingGraceMs,
      },
    );
  }
  const setServing = (now: boolean) => {
    serving = now;
    grpc.setServing(now);
  };
  if (bus) {
    grpc.setHealth('chat.bus', bus.state === 'connected');
    bus.onStateChange((state) => grpc.setHealth('chat.bus', state === 'connected'));
  }
  setServing(true);
  // With INGEST=jetstream messages are accepted without the database.
  const doesWithout = streams !== undefined && config.ingest.kind === 'jetstream';
  grpc.setHealth('chat.database', true);
  const onChange = (reachable: boolean) => {
    grpc.setHealth('chat.database', reachable);
    if (!doesWithout) setServing(reachable);
  };
  const watch = new DatabaseWatch({ ask: () => database.readPool.query('select 1'), log, metrics, onChange });
  resources.add('the watch over the database', () => watch.stop());
  return {
    grpcPort,
    httpPort,
    caller,
    notReady: () => [
      ...(draining ? ['it is shutting down'] : []),
      ...(serving || draining ? [] : ['PostgreSQL is away']),
    ],
    async drain(closeStreams) {
      draining = true;
      watch.stop();
      setServing(false);
      const ended = drain.begin();
      const closed = closeStreams();
      await withinTime(Promise.all([ended, closed]), times.drainTimeoutMs);
    },
  };
}
