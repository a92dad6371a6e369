import type { Logger } from 'pino';
import { createRedisClient, type RedisClient, whenReady } from '../../client/redis/redis-client.ts';
import type { RedisConfig } from '../../config/groups/redis-config.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { readCa } from './read-ca.ts';

/** A connection to Redis, and the prefix of all keys. */
export interface OpenedRedis {
  client: RedisClient;
  prefix: string;
}

/** How long the start waits for Redis, in milliseconds. The service starts without it as well. */
const startTimeoutMs = 2_000;

/** Connects to REDIS_URL; undefined if that is not set. While Redis is away the connection logs one warning and tries again, without end. */
export async function openRedis(
  config: RedisConfig | undefined,
  { log, resources }: { log: Logger; resources: ResourceStack },
): Promise<OpenedRedis | undefined> {
  if (!config) return undefined;
  const { url, caFile, prefix } = config;
  let away = false;
  const client = createRedisClient({ url, ca: await readCa('REDIS_CA', caFile) }, (err) => {
    if (!away) log.warn({ err }, 'Redis is away');
    away = true;
  });
  client.on('ready', () => {
    if (away) log.info('Redis is back');
    away = false;
  });
  resources.add('the connection to Redis', () => client.disconnect());
  await whenReady(client, startTimeoutMs);
  return { client, prefix };
}
