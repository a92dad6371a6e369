import type { EnvReader } from './env-reader.ts';
import { hasDefaultPassword, type Insecurity, isLoopback, isPlainElsewhere } from './insecure.ts';

/** What keeps presence and rate limits for all nodes. */
export interface RedisConfig {
  url: string;
  /** A file with the authorities that count for TLS; absent: the system's. */
  caFile: string | undefined;
  /** What all keys begin with. */
  prefix: string;
}

/** Undefined without REDIS_URL. */
export function readRedis(read: EnvReader): RedisConfig | undefined {
  const url = read.url('REDIS_URL', ['redis:', 'rediss:']);
  const caFile = read.optional('REDIS_CA');
  const prefix = read.string('REDIS_PREFIX', 'chat:');
  // A brace would begin a hash tag, and put keys of other parts into the same slot of a cluster.
  read.require(/^[\w:.-]+$/.test(prefix), 'REDIS_PREFIX must consist of letters, digits, "_", "-", "." and ":"');
  return url === undefined ? undefined : { url, caFile, prefix };
}

/** What is not safe about it. */
export function findRedisInsecurities(redis: RedisConfig | undefined): Insecurity[] {
  if (!redis) return [];
  const found: Insecurity[] = [];
  if (isPlainElsewhere(redis.url)) {
    found.push({ word: 'plaintext', what: 'REDIS_URL leads elsewhere without TLS: use rediss://', exposed: true });
  }
  if (hasDefaultPassword(redis.url)) {
    const what = 'REDIS_URL has a password that is tried first: set another';
    found.push({ word: 'default-password', what, exposed: !isLoopback(URL.parse(redis.url)?.hostname ?? '') });
  }
  return found;
}
