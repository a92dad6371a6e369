import type { EnvReader } from '../reading/env-reader.ts';
import { findDefaultPassword, type Insecurity, isPlainElsewhere } from '../reading/insecure.ts';

/** The Redis that keeps presence and rate limits for all nodes. */
export interface RedisConfig {
  url: string;
  /** A file of the authorities for TLS; absent: the system's. */
  caFile: string | undefined;
  /** What all keys begin with. */
  prefix: string;
}

/** Undefined without REDIS_URL. */
export function readRedis(read: EnvReader): RedisConfig | undefined {
  const url = read.url('REDIS_URL', ['redis:', 'rediss:']);
  const caFile = read.optional('REDIS_CA');
  const prefix = read.string('REDIS_PREFIX', 'chat:');
  // A brace would begin a hash tag, which puts keys of different parts into one slot of a cluster.
  read.require(/^[\w:.-]+$/.test(prefix), 'REDIS_PREFIX must consist of letters, digits, "_", "-", "." and ":"');
  return url === undefined ? undefined : { url, caFile, prefix };
}

/** Plain text to another machine, and a password that anybody would try. */
export function findRedisInsecurities(redis: RedisConfig | undefined): Insecurity[] {
  if (!redis) return [];
  const found: Insecurity[] = [];
  if (isPlainElsewhere(redis.url)) {
    const what = 'REDIS_URL names another machine without TLS: use rediss://';
    found.push({ word: 'plaintext', what, exposed: true });
  }
  return [...found, ...findDefaultPassword('REDIS_URL', redis.url)];
}
