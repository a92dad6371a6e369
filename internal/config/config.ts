import type { Feature } from '../model/feature.ts';
import { type AdminConfig, findAdminInsecurities, readAdmin } from './groups/admin-config.ts';
import { type AuthConfig, findAuthInsecurities, readAuth } from './groups/auth-config.ts';
import { type BusConfig, findBusInsecurities, readBus } from './groups/bus-config.ts';
import { type ChangesConfig, readChanges } from './groups/changes-config.ts';
import { type DatabaseConfig, findDatabaseInsecurities, readDatabase } from './groups/database-config.ts';
import { type ExportConfig, readExport } from './groups/export-config.ts';
import { readFeatures } from './groups/features-config.ts';
import { findHttpInsecurities, type HttpConfig, readHttp } from './groups/http-config.ts';
import { type IngestConfig, readIngest } from './groups/ingest-config.ts';
import { type LimitsConfig, readLimits } from './groups/limits-config.ts';
import { findListenInsecurities, type ListenConfig, readListen } from './groups/listen-config.ts';
import { type LogConfig, readLog } from './groups/log-config.ts';
import { findNatsInsecurities, type NatsConfig, readNats } from './groups/nats-config.ts';
import { checkWorkers, type ProcessConfig, readProcess } from './groups/process-config.ts';
import { type RatesConfig, readRates } from './groups/rates-config.ts';
import { findRedisInsecurities, type RedisConfig, readRedis } from './groups/redis-config.ts';
import { type RoomsConfig, readRooms } from './groups/rooms-config.ts';
import { readStreams, type StreamsConfig } from './groups/streams-config.ts';
import { readTimes, type TimesConfig } from './groups/times-config.ts';
import { readTls, type TlsConfig } from './groups/tls-config.ts';
import { findTracingInsecurities, readTracing, type TracingConfig } from './groups/tracing-config.ts';
import { readWriter, type WriterConfig } from './groups/writer-config.ts';
import { EnvReader } from './reading/env-reader.ts';
import { type Insecurity, judgeInsecurities } from './reading/insecure.ts';

/** All settings of the service. local.env.example describes each of them. */
export interface Config extends ProcessConfig {
  listen: ListenConfig;
  admin: AdminConfig;
  http: HttpConfig;
  /** Absent: plain text. */
  tls: TlsConfig | undefined;
  database: DatabaseConfig;
  bus: BusConfig;
  /** Absent: no JetStream. */
  nats: NatsConfig | undefined;
  /** Absent: presence is in PostgreSQL or in memory, and each node counts rates by itself. */
  redis: RedisConfig | undefined;
  ingest: IngestConfig;
  export: ExportConfig;
  log: LogConfig;
  tracing: TracingConfig;
  auth: AuthConfig;
  rooms: RoomsConfig;
  changes: ChangesConfig;
  features: ReadonlySet<Feature>;
  limits: LimitsConfig;
  rates: RatesConfig;
  writer: WriterConfig;
  times: TimesConfig;
  streams: StreamsConfig;
  /** Settings that are unsafe and that others can reach, as lines for the log. */
  warnings: string[];
}

/** Reads the settings from environment variables. Throws ConfigError, which lists every fault. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const read = new EnvReader(env);
  const { roles, workers } = readProcess(read);
  const listen = readListen(read);
  const tls = readTls(read);
  const http = readHttp(read, tls !== undefined);
  http.enabled &&= roles.has('gateway');
  const database = readDatabase(read);
  const bus = readBus(read, workers > 1 ? 'postgres:' : 'memory:');
  const nats = readNats(read, bus);
  const config: Config = {
    roles,
    workers,
    listen,
    admin: readAdmin(read),
    http,
    tls,
    database,
    bus,
    nats,
    redis: readRedis(read),
    ingest: readIngest(read, nats),
    export: readExport(read, nats),
    log: readLog(read),
    tracing: readTracing(read),
    auth: readAuth(read, http.publicUrl),
    rooms: readRooms(read),
    changes: readChanges(read),
    features: readFeatures(read),
    limits: readLimits(read),
    rates: readRates(read),
    writer: readWriter(read),
    times: readTimes(read),
    streams: readStreams(read),
    warnings: [],
  };
  checkWorkers(read, config, bus);
  const { writer, times } = config;
  read.require(
    writer.maxInFlight <= Math.ceil(database.poolSize / 2),
    'WRITER_MAX_IN_FLIGHT must be at most half of POSTGRES_POOL_SIZE: the other half is for reads',
  );
  read.require(
    writer.giveUpAfterMs < times.callTimeoutMs,
    'WRITER_GIVE_UP_MS must be less than CALL_TIMEOUT_MS, so that callers learn the reason',
  );
  config.warnings = judgeInsecurities(read, findInsecurities(config));
  read.throwIfFaulty();
  return config;
}

function findInsecurities({
  listen,
  admin,
  tls,
  auth,
  http,
  database,
  tracing,
  bus,
  nats,
  redis,
}: Config): Insecurity[] {
  return [
    ...findListenInsecurities(listen, tls),
    ...findAdminInsecurities(admin),
    ...findAuthInsecurities(auth, listen.host),
    ...findHttpInsecurities(http),
    ...findDatabaseInsecurities(database),
    ...findTracingInsecurities(tracing),
    ...findBusInsecurities(bus),
    ...findNatsInsecurities(nats, bus),
    ...findRedisInsecurities(redis),
  ];
}
