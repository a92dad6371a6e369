import { createLocalJWKSet } from 'jose';
import type { Logger } from 'pino';
import { JoseTokenIssuer } from '../client/auth/jose-token-issuer.ts';
import { JoseTokenVerifier } from '../client/auth/jose-token-verifier.ts';
import type { Bus } from '../client/bus/bus.ts';
import { MemoryBus } from '../client/bus/memory-bus.ts';
import { MemoryPresence } from '../client/presence/memory-presence.ts';
import { traceCalls } from '../client/tracing/trace-calls.ts';
import type { Config } from '../config/config.ts';
import { auth } from '../interceptor/auth.ts';
import { compose } from '../interceptor/call.ts';
import { deadline } from '../interceptor/deadline.ts';
import { Drain, drainingError } from '../interceptor/drain.ts';
import { errors } from '../interceptor/errors.ts';
import { logging } from '../interceptor/logging.ts';
import { rateLimit } from '../interceptor/rate-limit.ts';
import { tracing } from '../interceptor/tracing.ts';
import { loadRules, validation } from '../interceptor/validation.ts';
import { MemoryRateLimiter } from '../ratelimiter/memory-rate-limiter.ts';
import { PostgresChatRepository } from '../repository/postgres/postgres-chat-repository.ts';
import { PostgresMessageRepository } from '../repository/postgres/postgres-message-repository.ts';
import { PostgresSigningKeyRepository } from '../repository/postgres/postgres-signing-key-repository.ts';
import { AuthService } from '../service/auth-service.ts';
import { ChatService } from '../service/chat-service.ts';
import { Hub } from '../service/hub.ts';
import { MessageWriter } from '../service/message-writer.ts';
import { SessionRegistry } from '../service/session-registry.ts';
import { GrpcServer } from '../transport/grpc/grpc-server.ts';
import { DatabaseWatch } from './database-watch.ts';
import { openDatabase } from './open-database.ts';
import { openTracing } from './open-tracing.ts';
import { ResourceStack } from './resource-stack.ts';

/** Parts that somebody who embeds the service, such as a test, brings along. */
export interface Overrides {
  bus?: Bus;
}

/** The running service. */
export interface App {
  grpcPort: number;
  sessions: SessionRegistry;
  hub: Hub;
  /** Resolves when the service cannot go on by itself, with the reason. */
  failed: Promise<Error>;
  /**
   * Drains and stops: not ready any more, streams told to reconnect, what is under way committed and answered, everything
   * closed. Twice is harmless.
   */
  stop(): Promise<void>;
}

/** Starts the service. Throws an error with a clear message, leaving nothing behind, when it cannot or the signal aborts. */
export async function startApp(
  config: Config,
  log: Logger,
  { bus = new MemoryBus() }: Overrides = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<App> {
  const resources = new ResourceStack(log);
  try {
    return await assemble(config, log, bus, resources, signal);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function assemble(
  config: Config,
  log: Logger,
  bus: Bus,
  resources: ResourceStack,
  signal: AbortSignal,
): Promise<App> {
  const { limits, writer: writerOptions, rates } = config;
  const rules = loadRules();
  const traces = await openTracing(config.tracing, log);
  resources.add('the traces', () => traces.close());
  const traced: typeof traceCalls = config.tracing.url ? traceCalls : (_name, part) => part;
  const database = await openDatabase(config, log, resources, signal);
  const chats = traced('ChatRepository', new PostgresChatRepository(database, limits));
  const messages = traced('MessageRepository', new PostgresMessageRepository(database));
  await chats.ensureRooms(config.rooms.names);

  resources.add('the bus', () => bus.close());
  const presence = new MemoryPresence();
  resources.add('presence', () => presence.close());
  const issuer = await JoseTokenIssuer.create(new PostgresSigningKeyRepository(database), {
    issuer: config.auth.issuer,
    audience: config.auth.audience,
    ttlMs: config.auth.tokenTtlMs,
  });
  const verifier = new JoseTokenVerifier(createLocalJWKSet(issuer.jwks), {
    issuer: config.auth.issuer,
    audience: config.auth.audience,
    algorithms: ['EdDSA'],
  });
  const limiter = new MemoryRateLimiter({
    named: {
      SendMessage: { points: rates.messagesPerSecond, seconds: 1 },
      Guest: { points: rates.guestsPerMinute, seconds: 60 },
    },
    others: { points: rates.callsPerSecond, seconds: 1 },
  });

  const writer = traced('MessageWriter', new MessageWriter({ messages, bus, log }, writerOptions));
  resources.add('the message writer', () => writer.drain());
  const hub = new Hub(
    { bus, messages, chats, log },
    {
      repairIntervalMs: config.repairIntervalMs,
      lingerMs: 30_000,
      stragglerMs: 50,
      recentChars: 65_536,
      pageSize: 200,
    },
  );
  resources.add('the hub', () => hub.stop());
  const service = traced(
    'ChatService',
    new ChatService(
      { chats, messages, writer, presence, bus },
      { maxTextLength: limits.maxTextLength, createRoomsOnJoin: config.rooms.createOnJoin },
    ),
  );
  const sessions = new SessionRegistry(
    { service, hub, chats, messages, verifier, limiter, presence, log },
    {
      limits: {
        maxTextLength: limits.maxTextLength,
        maxFrameBytes: limits.maxFrameBytes,
        maxCommandsPerFrame: limits.maxCommandsPerFrame,
        maxSubscriptions: limits.maxSubscriptions,
      },
      outboxBytes: limits.outboxBytes,
      frameBytes: 65_536,
      pageSize: catchUpPageSize(limits.maxTextLength),
      maxPendingSends: limits.maxPendingSends,
    },
  );

  const drain = new Drain();
  const grpc = new GrpcServer(
    {
      chats: service,
      auth: new AuthService(issuer, config.auth),
      sessions,
      validateCommand: rules('chat.v1.Command'),
      interceptor: compose([
        tracing(traces.tracer),
        logging(log),
        errors(log),
        deadline(config.callTimeoutMs),
        drain.interceptor,
        auth(verifier),
        validation(rules),
        rateLimit(limiter),
      ]),
    },
    {
      host: config.host,
      port: config.grpcPort,
      maxFrameBytes: limits.maxFrameBytes,
      maxCommandsPerFrame: limits.maxCommandsPerFrame,
      maxPageSize: limits.maxPageSize,
      keepaliveMs: config.keepaliveMs,
    },
  );
  resources.add('the gRPC server', () => grpc.stop(1_000));
  signal.throwIfAborted();
  const grpcPort = await grpc.listen();
  grpc.setServing(true);
  const watch = new DatabaseWatch(database.pool, 1_000, (reachable) => {
    log[reachable ? 'info' : 'warn'](reachable ? 'the database is back' : 'the database is away');
    grpc.setServing(reachable);
  });
  resources.add('the watch over the database', () => watch.stop());

  const shutDown = async () => {
    watch.stop();
    grpc.setServing(false);
    const { timeoutMs, reconnectSpreadMs } = config.drain;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    const drained = drain.begin();
    await Promise.race([
      sessions.closeAll('DRAINING', drainingError(), reconnectSpreadMs).then(() => drained),
      timeout,
    ]);
    clearTimeout(timer);
    await resources.close();
  };
  let stopping: Promise<void> | undefined;
  return {
    grpcPort,
    sessions,
    hub,
    failed: database.lost,
    stop: () => {
      stopping ??= shutDown();
      return stopping;
    },
  };
}

/** Messages of a page for a reader that catches up: few enough that even the longest texts stay near 2 MiB. */
function catchUpPageSize(maxTextLength: number): number {
  const bytesPerCharacter = 4;
  return Math.max(8, Math.min(100, Math.floor(2_097_152 / (maxTextLength * bytesPerCharacter))));
}
