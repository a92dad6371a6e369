import type { EnvReader } from '../reading/env-reader.ts';
import { findDefaultPassword, type Insecurity, isPlainElsewhere } from '../reading/insecure.ts';
import type { BusConfig } from './bus-config.ts';

/** The NATS server whose JetStream holds accepted messages and exported events. */
export interface NatsConfig {
  url: string;
  /** A file of the authorities for TLS; absent: the system's. */
  caFile: string | undefined;
}

/** NATS_URL, or else the bus if that is NATS; undefined if neither is set. */
export function readNats(read: EnvReader, bus: BusConfig): NatsConfig | undefined {
  const url = read.url('NATS_URL', ['nats:', 'tls:']);
  const caFile = read.optional('NATS_CA');
  if (url !== undefined) return { url, caFile };
  return bus.kind === 'nats' ? { url: bus.url, caFile: caFile ?? bus.caFile } : undefined;
}

/** Plain text to another machine, and a password that anybody would try. An address that is also the bus's is reported with the bus. */
export function findNatsInsecurities(nats: NatsConfig | undefined, bus: BusConfig): Insecurity[] {
  if (!nats || ('url' in bus && bus.url === nats.url)) return [];
  const found: Insecurity[] = [];
  if (isPlainElsewhere(nats.url)) {
    found.push({ word: 'plaintext', what: 'NATS_URL names another machine without TLS: use tls://', exposed: true });
  }
  return [...found, ...findDefaultPassword('NATS_URL', nats.url)];
}
