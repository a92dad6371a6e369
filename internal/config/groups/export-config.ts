import type { EnvReader } from '../reading/env-reader.ts';
import type { NatsConfig } from './nats-config.ts';

/** The sink that changes are delivered to, for other services. */
export type ExportConfig =
  | { kind: 'none' }
  | {
      kind: 'jetstream';
      nats: NatsConfig;
      stream: string;
      /** What all subjects begin with. */
      prefix: string;
      format: 'json' | 'protobuf';
      replicas: number;
      /** How long the stream keeps events, in milliseconds; 0: for ever. */
      maxAgeMs: number;
      /** How much the stream keeps, in bytes; 0: as much as the server allows. */
      maxBytes: number;
      /** Whether the earlier events of a deleted message are erased. */
      erase: boolean;
    };

/** `nats` is the server that the stream is on. */
export function readExport(read: EnvReader, nats: NatsConfig | undefined): ExportConfig {
  const kind = read.oneOf('EXPORT', ['none', 'jetstream'], 'none');
  const settings = {
    stream: read.string('EXPORT_STREAM', 'CHAT_EVENTS'),
    prefix: read.string('EXPORT_PREFIX', 'chat'),
    format: read.oneOf('EXPORT_FORMAT', ['json', 'protobuf'] as const, 'json'),
    replicas: read.integer('EXPORT_REPLICAS', 1, { min: 1, max: 5 }),
    maxAgeMs: read.integer('EXPORT_MAX_AGE_DAYS', 30, { min: 0, max: 36_500 }) * 86_400_000,
    maxBytes: read.integer('EXPORT_MAX_BYTES', 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    erase: read.boolean('EXPORT_ERASE', true),
  };
  read.require(/^[\w-]+$/.test(settings.stream), 'EXPORT_STREAM must consist of letters, digits, "_" and "-"');
  read.require(
    /^[\w-]+(\.[\w-]+)*$/.test(settings.prefix),
    'EXPORT_PREFIX must be words of letters, digits, "_" and "-", with dots between',
  );
  if (kind === 'none') return { kind };
  read.require(nats !== undefined, 'EXPORT=jetstream needs NATS_URL');
  return nats ? { kind, nats, ...settings } : { kind: 'none' };
}
