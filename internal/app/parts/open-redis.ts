import type { Logger } from 'pino';
import { createRedisClient, type RedisClient, whenReady } from '../../client/redis/redis-client.ts';
import type { RedisConfig } from '../../config/groups/redis-config.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { readCa } from './read-ca.ts';

/** A connection to Redis, and what the keys there begin with. */
export interface OpenedRedis {
  client: RedisClient;
  prefix: string;
}

/** The configured Redis, if there is one. One that is away is no error: it is warned of, and tried again for ever. */
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
  await whenReady(client, 2_000);
  return { client, prefix };
}
