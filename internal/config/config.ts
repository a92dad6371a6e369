import { resolve } from 'node:path';
import { roomName } from '../model/chat.ts';
import { type BusConfig, findBusInsecurities, readBus } from './bus-config.ts';
import { EnvReader } from './env-reader.ts';
import { type ExportConfig, readExport } from './export-config.ts';
import { type ExternalIssuer, readExternalIssuer } from './external-issuer.ts';
import { type HttpConfig, readHttp, readTls, type TlsConfig } from './http-config.ts';
import { type IngestConfig, readIngest } from './ingest-config.ts';
import { hasDefaultPassword, type Insecurity, isLoopback, isPlainElsewhere, judgeInsecurities } from './insecure.ts';
import { type LogConfig, readLog } from './log-config.ts';
import { findNatsInsecurities, type NatsConfig, readNats } from './nats-config.ts';
import { checkWorkers, type ProcessConfig, readRoles, readWorkers } from './process-config.ts';
import { findRedisInsecurities, type RedisConfig, readRedis } from './redis-config.ts';

/** Everything about the service that can be set. local.env.example says what each is for. */
export interface Config extends ProcessConfig {
  host: string;
  grpcPort: number;
  http: HttpConfig;
  /** Absent: plain text. */
  tls: TlsConfig | undefined;
  /** Absent: the bundled PostgreSQL is started in `dataDir`. */
  postgresDsn: string | undefined;
  postgresPoolSize: number;
  dataDir: string;
  migrateOnStart: boolean;
  /** Carries news between the nodes of the service. */
  bus: BusConfig;
  /** Where JetStream is, if there is one. */
  nats: NatsConfig | undefined;
  /** Keeps presence and rate limits for all nodes, if there is one. */
  redis: RedisConfig | undefined;
  /** How messages come into the database. */
  ingest: IngestConfig;
  /** Where other services read what happens. */
  export: ExportConfig;
  log: LogConfig;
  /** No URL: no tracing. Its scheme says what takes the spans: http(s) an OTLP collector, jaeger a Jaeger agent. */
  tracing: { url: string | undefined; sampleRatio: number };
  auth: {
    guests: boolean;
    registration: boolean;
    issuer: string;
    audience: string;
    tokenTtlMs: number;
    /** How long a session lives without being refreshed. */
    refreshTtlMs: number;
    /** An OpenID Connect provider instead of the embedded issuer. */
    outside: ExternalIssuer | undefined;
  };
  rooms: { names: string[]; createOnJoin: boolean };
  limits: {
    maxTextLength: number;
    maxMembers: number;
    maxPageSize: number;
    maxFrameBytes: number;
    maxCommandsPerFrame: number;
    arrivalsPerSecond: number;
    /** Open streams of one user; 0: any number. */
    maxStreamsPerUser: number;
    maxSubscriptions: number;
    /** Chats with more members are not told who is typing, has come online, or has read how far. */
    maxSignalMembers: number;
    maxPendingSends: number;
    outboxBytes: number;
  };
  /** A rate of 0 is no limit. */
  rates: {
    messagesPerSecond: number;
    callsPerSecond: number;
    guestsPerMinute: number;
    /** Login and Register, for each address. */
    signInsPerMinute: number;
    /** Wrong passwords in a quarter of an hour, for each user name from one network; ten times as many from everywhere. */
    loginFailures: number;
  };
  writer: { maxBatch: number; maxInFlight: number; maxQueued: number; giveUpAfterMs: number };
  callTimeoutMs: number;
  repairIntervalMs: number;
  keepaliveMs: number;
  drain: { timeoutMs: number; reconnectSpreadMs: number };
  /** What is not safe about all this, for the log. */
  warnings: string[];
}

/** Reads the configuration from environment variables. Throws ConfigError, which names every bad one. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const read = new EnvReader(env);
  const tls = readTls(read);
  const roles = readRoles(read);
  const http = readHttp(read, tls !== undefined);
  http.enabled &&= roles.has('gateway');
  const workers = readWorkers(read);
  const bus = readBus(read, workers > 1 ? 'postgres:' : 'memory:');
  const nats = readNats(read, bus);
  const config: Config = {
    roles,
    workers,
    host: read.string('HOST', '127.0.0.1'),
    grpcPort: read.integer('GRPC_PORT', 50_051, { min: 0, max: 65_535 }),
    http,
    tls,
    postgresDsn: read.url('POSTGRES_DSN', ['postgres:', 'postgresql:']),
    postgresPoolSize: read.integer('POSTGRES_POOL_SIZE', 10, { min: 2, max: 1_000 }),
    dataDir: resolve(read.string('DATA_DIR', '.data')),
    migrateOnStart: read.boolean('MIGRATE_ON_START', true),
    bus,
    nats,
    redis: readRedis(read),
    ingest: readIngest(read, nats),
    export: readExport(read, nats),
    log: readLog(read),
    tracing: {
      url: read.url('TRACING_URL', ['http:', 'https:', 'jaeger:']),
      sampleRatio: read.number('TRACING_SAMPLE_RATIO', 1, { min: 0, max: 1 }),
    },
    auth: {
      guests: read.boolean('AUTH_GUESTS', false),
      registration: read.boolean('AUTH_REGISTRATION', true),
      issuer: read.string('AUTH_ISSUER', http.publicUrl),
      audience: read.string('AUTH_AUDIENCE', 'chat'),
      tokenTtlMs: read.integer('AUTH_TOKEN_TTL_SECONDS', 900, { min: 1, max: 86_400 }) * 1_000,
      refreshTtlMs: read.integer('AUTH_REFRESH_TTL_DAYS', 30, { min: 1, max: 3_650 }) * 86_400_000,
      outside: readExternalIssuer(read),
    },
    rooms: {
      names: read.list('ROOMS', ['global'], roomName, 'room names: letters, digits, "_", "-" and "."'),
      createOnJoin: read.boolean('ROOMS_CREATE_ON_JOIN', true),
    },
    limits: {
      maxTextLength: read.integer('MAX_TEXT_LENGTH', 4_000, { min: 1, max: 65_536 }),
      maxMembers: read.integer('MAX_MEMBERS', 10_000, { min: 2, max: 1_000_000 }),
      maxPageSize: read.integer('MAX_PAGE_SIZE', 200, { min: 1, max: 1_000 }),
      maxFrameBytes: readMaxFrameBytes(read),
      maxCommandsPerFrame: readMaxCommandsPerFrame(read),
      arrivalsPerSecond: read.integer('ARRIVALS_PER_SECOND', 400, { min: 25, max: 100_000 }),
      maxStreamsPerUser: read.integer('MAX_STREAMS_PER_USER', 100, { min: 0, max: 1_000_000 }),
      maxSubscriptions: read.integer('MAX_SUBSCRIPTIONS', 1_000, { min: 1, max: 100_000 }),
      maxSignalMembers: read.integer('MAX_SIGNAL_MEMBERS', 200, { min: 0, max: 100_000 }),
      maxPendingSends: read.integer('MAX_PENDING_SENDS', 256, { min: 1, max: 100_000 }),
      outboxBytes: read.integer('OUTBOX_BYTES', 262_144, { min: 1_024, max: 1_073_741_824 }),
    },
    rates: {
      messagesPerSecond: read.integer('RATE_LIMIT_MESSAGES', 100, { min: 0, max: 1_000_000 }),
      callsPerSecond: read.integer('RATE_LIMIT_CALLS', 100, { min: 0, max: 1_000_000 }),
      guestsPerMinute: read.integer('RATE_LIMIT_GUESTS', 60, { min: 0, max: 1_000_000 }),
      signInsPerMinute: read.integer('RATE_LIMIT_SIGN_INS', 60, { min: 0, max: 1_000_000 }),
      loginFailures: read.integer('RATE_LIMIT_LOGIN_FAILURES', 10, { min: 0, max: 1_000_000 }),
    },
    writer: {
      maxBatch: read.integer('WRITER_MAX_BATCH', 512, { min: 1, max: 10_000 }),
      maxInFlight: read.integer('WRITER_MAX_IN_FLIGHT', 2, { min: 1, max: 100 }),
      maxQueued: read.integer('WRITER_MAX_QUEUED', 20_000, { min: 1, max: 10_000_000 }),
      giveUpAfterMs: read.integer('WRITER_GIVE_UP_MS', 4_000, { min: 100, max: 600_000 }),
    },
    callTimeoutMs: read.integer('CALL_TIMEOUT_MS', 5_000, { min: 100, max: 600_000 }),
    repairIntervalMs: read.integer('REPAIR_INTERVAL_MS', 2_000, { min: 50, max: 600_000 }),
    keepaliveMs: readKeepaliveMs(read),
    drain: {
      timeoutMs: read.integer('DRAIN_TIMEOUT_MS', 10_000, { min: 0, max: 3_600_000 }),
      reconnectSpreadMs: read.integer('RECONNECT_SPREAD_MS', 3_000, { min: 0, max: 3_600_000 }),
    },
    warnings: [],
  };
  const { limits, writer, tracing } = config;
  checkWorkers(read, config);
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
  config.warnings = judgeInsecurities(read, findInsecurities(config));
  read.throwIfFaulty();
  return config;
}

function findInsecurities({ host, http, tls, auth, bus, nats, redis, postgresDsn, tracing }: Config): Insecurity[] {
  const found: Insecurity[] = [];
  const { outside } = auth;
  if (!isLoopback(host) && !tls) {
    found.push({
      word: 'plaintext',
      what: `HOST ${host} can be reached from elsewhere, without TLS: set TLS_CERT and TLS_KEY`,
      exposed: true,
    });
  }
  if (auth.guests && !outside) {
    const what = 'AUTH_GUESTS is on: anybody can sign in under any name';
    found.push({ word: 'guests', what, exposed: !isLoopback(host) });
  }
  if (hasDefaultPassword(postgresDsn)) {
    const what = 'POSTGRES_DSN has a password that is tried first: set another';
    found.push({ word: 'default-password', what, exposed: !isLoopback(URL.parse(postgresDsn ?? '')?.hostname ?? '') });
  }
  for (const [name, url] of Object.entries({
    PUBLIC_URL: http.publicUrl,
    TRACING_URL: tracing.url,
    AUTH_JWKS_URL: outside?.jwksUrl,
    AUTH_REVOCATIONS_URL: outside?.revocationsUrl,
  })) {
    if (isPlainElsewhere(url))
      found.push({ word: 'plaintext', what: `${name} leads elsewhere without TLS: use https`, exposed: true });
  }
  found.push(...findBusInsecurities(bus), ...findNatsInsecurities(nats, bus), ...findRedisInsecurities(redis));
  return found;
}

export function readMaxFrameBytes(read: EnvReader): number {
  return read.integer('MAX_FRAME_BYTES', 1_048_576, { min: 1_024, max: 67_108_864 });
}

export function readMaxCommandsPerFrame(read: EnvReader): number {
  return read.integer('MAX_COMMANDS_PER_FRAME', 256, { min: 1, max: 100_000 });
}

export function readKeepaliveMs(read: EnvReader): number {
  return read.integer('KEEPALIVE_MS', 20_000, { min: 1_000, max: 3_600_000 });
}
