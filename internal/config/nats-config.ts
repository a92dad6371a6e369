import type { BusConfig } from './bus-config.ts';
import type { EnvReader } from './env-reader.ts';
import { hasDefaultPassword, type Insecurity, isLoopback, isPlainElsewhere } from './insecure.ts';

/** Where JetStream is. */
export interface NatsConfig {
  url: string;
  /** A file with the authorities that count for TLS; absent: the system's. */
  caFile: string | undefined;
}

/** Undefined if neither NATS_URL is set nor the bus is NATS. */
export function readNats(read: EnvReader, bus: BusConfig): NatsConfig | undefined {
  const url = read.url('NATS_URL', ['nats:', 'tls:']);
  const caFile = read.optional('NATS_CA');
  if (url !== undefined) return { url, caFile };
  return bus.kind === 'nats' ? { url: bus.url, caFile: caFile ?? bus.caFile } : undefined;
}

/** What is not safe about it, unless the bus has said so of the same address. */
export function findNatsInsecurities(nats: NatsConfig | undefined, bus: BusConfig): Insecurity[] {
  if (!nats || ('url' in bus && bus.url === nats.url)) return [];
  const found: Insecurity[] = [];
  if (isPlainElsewhere(nats.url)) {
    found.push({ word: 'plaintext', what: 'NATS_URL leads elsewhere without TLS: use tls://', exposed: true });
  }
  if (hasDefaultPassword(nats.url)) {
    const what = 'NATS_URL has a password that is tried first: set another';
    found.push({ word: 'default-password', what, exposed: !isLoopback(URL.parse(nats.url)?.hostname ?? '') });
  }
  return found;
}
