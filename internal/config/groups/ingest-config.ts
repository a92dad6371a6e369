import type { EnvReader } from '../reading/env-reader.ts';
import type { NatsConfig } from './nats-config.ts';

/** How messages get into the database. */
export type IngestConfig =
  /** The service acknowledges a message once PostgreSQL has committed it. */
  { kind: 'direct' } | JetStreamIngest;

/** Acknowledged when a JetStream stream has stored them, and committed by writers later. */
export interface JetStreamIngest {
  kind: 'jetstream';
  nats: NatsConfig;
  stream: string;
  /** Parts of the stream that are written side by side, each in order. */
  partitions: number;
  replicas: number;
  /** How much the stream may hold, in bytes. Beyond that it refuses messages. */
  maxBytes: number;
  /** How long the stream recognises a repeated message, in milliseconds. */
  duplicateWindowMs: number;
  /** How long a sender's last check counts while the database is away, in milliseconds. */
  rememberSendersMs: number;
}

/** `nats` is the server that the stream is on. */
export function readIngest(read: EnvReader, nats: NatsConfig | undefined): IngestConfig {
  const kind = read.oneOf('INGEST', ['direct', 'jetstream'], 'direct');
  const settings = {
    stream: read.string('INGEST_STREAM', 'CHAT_INGEST'),
    partitions: read.integer('INGEST_PARTITIONS', 16, { min: 1, max: 1_024 }),
    replicas: read.integer('INGEST_REPLICAS', 1, { min: 1, max: 5 }),
    maxBytes: read.integer('INGEST_MAX_BYTES', 1_073_741_824, { min: 65_536, max: Number.MAX_SAFE_INTEGER }),
    duplicateWindowMs: read.integer('INGEST_DUPLICATE_WINDOW_SECONDS', 600, { min: 1, max: 86_400 }) * 1_000,
    rememberSendersMs: read.integer('INGEST_REMEMBER_SENDERS_SECONDS', 300, { min: 0, max: 86_400 }) * 1_000,
  };
  read.require(/^[\w-]+$/.test(settings.stream), 'INGEST_STREAM must consist of letters, digits, "_" and "-"');
  if (kind === 'direct') return { kind };
  read.require(nats !== undefined, 'INGEST=jetstream needs NATS_URL');
  return nats ? { kind, nats, ...settings } : { kind: 'direct' };
}
