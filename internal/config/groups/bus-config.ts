import { decoded, type EnvReader } from '../reading/env-reader.ts';
import { findDefaultPassword, type Insecurity, isPlainElsewhere } from '../reading/insecure.ts';

/** What carries publications between nodes. */
export type BusConfig =
  /** One process: there is no other node. */
  | { kind: 'memory' }
  /** The service's own database. */
  | { kind: 'postgres' }
  | {
      kind: 'nats' | 'redis';
      url: string;
      /** A file of the authorities for TLS; absent: the system's. */
      caFile: string | undefined;
      /** The first word of all subjects or channels. */
      prefix: string;
    };

const forms = 'BUS_URL must be memory:, postgres:, or a URL that begins with nats://, tls://, redis:// or rediss://';

/** In place of an address that is faulty: the fault is noted, and reading goes on. */
const memory: BusConfig = { kind: 'memory' };

/** `fallback` is used unless BUS_URL is set. */
export function readBus(read: EnvReader, fallback: string): BusConfig {
  const text = read.string('BUS_URL', fallback);
  const caFile = read.optional('BUS_CA');
  const prefix = read.string('BUS_PREFIX', 'chat');
  read.require(/^[\w-]+$/.test(prefix), 'BUS_PREFIX must consist of letters, digits, "_" and "-"');
  const url = URL.parse(text);
  read.require(
    caFile === undefined || /^(tls|rediss):$/.test(url?.protocol ?? ''),
    'BUS_CA is for a BUS_URL that begins with tls:// or rediss://',
  );
  switch (url?.protocol) {
    case 'memory:':
    case 'postgres:':
      read.require(
        text === url.protocol,
        `BUS_URL takes nothing after ${url.protocol}${url.protocol === 'postgres:' ? ', which means the database of POSTGRES_DSN' : ''}`,
      );
      return { kind: url.protocol === 'postgres:' ? 'postgres' : 'memory' };
    case 'nats:':
    case 'tls:':
    case 'redis:':
    case 'rediss:':
      read.require(url.hostname !== '', `${forms} and names a host`);
      // The value is not repeated: it may hold a password.
      read.require(
        decoded(url.username) !== undefined && decoded(url.password) !== undefined,
        'BUS_URL must have special characters of its user and password escaped, as in p%40ss for p@ss',
      );
      return { kind: /^rediss?:$/.test(url.protocol) ? 'redis' : 'nats', url: text, caFile, prefix };
    default:
      read.require(false, forms);
      return memory;
  }
}

/** Plain text to another machine, and a password that anybody would try. */
export function findBusInsecurities(bus: BusConfig): Insecurity[] {
  if (bus.kind === 'memory' || bus.kind === 'postgres') return [];
  const found: Insecurity[] = [];
  if (isPlainElsewhere(bus.url)) {
    const what = 'BUS_URL names another machine without TLS: use tls:// or rediss://';
    found.push({ word: 'plaintext', what, exposed: true });
  }
  return [...found, ...findDefaultPassword('BUS_URL', bus.url)];
}
