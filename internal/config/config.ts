import { resolve } from 'node:path';
import { roomName } from '../model/chat.ts';
import { EnvReader } from './env-reader.ts';

/** Everything about the service that can be set. local.env.example says what each is for. */
export interface Config {
  host: string;
  grpcPort: number;
  /** Absent: the bundled PostgreSQL is started in `dataDir`. */
  postgresDsn: string | undefined;
  postgresPoolSize: number;
  dataDir: string;
  migrateOnStart: boolean;
  log: { level: LogLevel; format: 'auto' | 'pretty' | 'json'; file: string | undefined };
  /** No URL: no tracing. Its scheme says what takes the spans: http(s) an OTLP collector, jaeger a Jaeger agent. */
  tracing: { url: string | undefined; sampleRatio: number };
  auth: { guests: boolean; issuer: string; audience: string; tokenTtlMs: number };
  rooms: { names: string[]; createOnJoin: boolean };
  limits: {
    maxTextLength: number;
    maxMembers: number;
    maxPageSize: number;
    maxFrameBytes: number;
    maxCommandsPerFrame: number;
    maxSubscriptions: number;
    maxPendingSends: number;
    outboxBytes: number;
  };
  /** A rate of 0 is no limit. */
  rates: { messagesPerSecond: number; callsPerSecond: number; guestsPerMinute: number };
  writer: { maxBatch: number; maxInFlight: number; maxQueued: number; giveUpAfterMs: number };
  callTimeoutMs: number;
  repairIntervalMs: number;
  keepaliveMs: number;
  drain: { timeoutMs: number; reconnectSpreadMs: number };
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Reads the configuration from environment variables. Throws ConfigError, which names every bad one. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const read = new EnvReader(env);
  const config: Config = {
    host: read.string('HOST', '127.0.0.1'),
    grpcPort: read.integer('GRPC_PORT', 50_051, { min: 0, max: 65_535 }),
    postgresDsn: read.url('POSTGRES_DSN', ['postgres:', 'postgresql:']),
    postgresPoolSize: read.integer('POSTGRES_POOL_SIZE', 10, { min: 2, max: 1_000 }),
    dataDir: resolve(read.string('DATA_DIR', '.data')),
    migrateOnStart: read.boolean('MIGRATE_ON_START', true),
    log: {
      level: read.oneOf('LOG_LEVEL', logLevels, 'info'),
      format: read.oneOf('LOG_FORMAT', ['auto', 'pretty', 'json'] as const, 'auto'),
      file: read.optional('LOG_FILE'),
    },
    tracing: {
      url: read.url('TRACING_URL', ['http:', 'https:', 'jaeger:']),
      sampleRatio: read.number('TRACING_SAMPLE_RATIO', 1, { min: 0, max: 1 }),
    },
    auth: {
      guests: read.boolean('AUTH_GUESTS', false),
      issuer: read.string('AUTH_ISSUER', 'chat-service'),
      audience: read.string('AUTH_AUDIENCE', 'chat'),
      tokenTtlMs: read.integer('AUTH_TOKEN_TTL_SECONDS', 900, { min: 1, max: 86_400 }) * 1_000,
    },
    rooms: {
      names: read.list('ROOMS', ['global'], roomName, 'room names: letters, digits, "_", "-" and "."'),
      createOnJoin: read.boolean('ROOMS_CREATE_ON_JOIN', true),
    },
    limits: {
      maxTextLength: read.integer('MAX_TEXT_LENGTH', 4_000, { min: 1, max: 65_536 }),
      maxMembers: read.integer('MAX_MEMBERS', 10_000, { min: 2, max: 1_000_000 }),
      maxPageSize: read.integer('MAX_PAGE_SIZE', 200, { min: 1, max: 1_000 }),
      maxFrameBytes: read.integer('MAX_FRAME_BYTES', 1_048_576, { min: 1_024, max: 67_108_864 }),
      maxCommandsPerFrame: read.integer('MAX_COMMANDS_PER_FRAME', 256, { min: 1, max: 100_000 }),
      maxSubscriptions: read.integer('MAX_SUBSCRIPTIONS', 1_000, { min: 1, max: 100_000 }),
      maxPendingSends: read.integer('MAX_PENDING_SENDS', 256, { min: 1, max: 100_000 }),
      outboxBytes: read.integer('OUTBOX_BYTES', 262_144, { min: 1_024, max: 1_073_741_824 }),
    },
    rates: {
      messagesPerSecond: read.integer('RATE_LIMIT_MESSAGES', 100, { min: 0, max: 1_000_000 }),
      callsPerSecond: read.integer('RATE_LIMIT_CALLS', 100, { min: 0, max: 1_000_000 }),
      guestsPerMinute: read.integer('RATE_LIMIT_GUESTS', 60, { min: 0, max: 1_000_000 }),
    },
    writer: {
      maxBatch: read.integer('WRITER_MAX_BATCH', 512, { min: 1, max: 10_000 }),
      maxInFlight: read.integer('WRITER_MAX_IN_FLIGHT', 2, { min: 1, max: 100 }),
      maxQueued: read.integer('WRITER_MAX_QUEUED', 20_000, { min: 1, max: 10_000_000 }),
      giveUpAfterMs: read.integer('WRITER_GIVE_UP_MS', 4_000, { min: 100, max: 600_000 }),
    },
    callTimeoutMs: read.integer('CALL_TIMEOUT_MS', 5_000, { min: 100, max: 600_000 }),
    repairIntervalMs: read.integer('REPAIR_INTERVAL_MS', 2_000, { min: 50, max: 600_000 }),
    keepaliveMs: read.integer('KEEPALIVE_MS', 20_000, { min: 1_000, max: 3_600_000 }),
    drain: {
      timeoutMs: read.integer('DRAIN_TIMEOUT_MS', 10_000, { min: 0, max: 3_600_000 }),
      reconnectSpreadMs: read.integer('RECONNECT_SPREAD_MS', 3_000, { min: 0, max: 3_600_000 }),
    },
  };
  const { limits, writer, tracing } = config;
  const { protocol, hostname } = URL.parse(tracing.url ?? '') ?? {};
  read.require(
    protocol !== 'jaeger:' || hostname !== '',
    'TRACING_URL must name a host, as in jaeger://localhost:6832',
  );
  read.require(
    writer.maxInFlight < config.postgresPoolSize,
    'WRITER_MAX_IN_FLIGHT must be less than POSTGRES_POOL_SIZE',
  );
  read.require(
    limits.maxTextLength * 4 + 1_024 <= limits.maxFrameBytes,
    'MAX_FRAME_BYTES must have room for a message: 4 bytes for each of MAX_TEXT_LENGTH characters, and 1024 more',
  );
  read.require(
    writer.giveUpAfterMs < config.callTimeoutMs,
    'WRITER_GIVE_UP_MS must be less than CALL_TIMEOUT_MS, so that callers learn the reason',
  );
  read.throwIfFaulty();
  return config;
}
