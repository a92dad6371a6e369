import type { Logger } from 'pino';
import { MemoryPresence } from '../../client/presence/memory-presence.ts';
import { PostgresPresenceStore } from '../../client/presence/postgres-presence-store.ts';
import type { Presence } from '../../client/presence/presence.ts';
import { RedisPresenceStore } from '../../client/presence/redis-presence-store.ts';
import { SharedPresence } from '../../client/presence/shared-presence.ts';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import type { OpenedRedis } from './open-redis.ts';

interface Deps {
  database: Database;
  redis: OpenedRedis | undefined;
  log: Logger;
  resources: ResourceStack;
}

/** The users of a node that died are offline after `deadAfterMs`. The next heartbeat of another node announces it. In milliseconds. */
const times = { heartbeatMs: 2_500, deadAfterMs: 7_500, patienceMs: 1_000 };

/** Opens presence: in Redis if REDIS_URL is set, else in PostgreSQL if the bus connects several nodes, else in memory. */
export async function openPresence(config: Config, { database, redis, log, resources }: Deps): Promise<Presence> {
  const store = redis
    ? new RedisPresenceStore(redis.client, { prefix: redis.prefix, ...times })
    : config.bus.kind !== 'memory' && new PostgresPresenceStore(database, times);
  if (!store) return new MemoryPresence();
  const presence = new SharedPresence({ store, log }, times);
  resources.add('presence', () => presence.close());
  await presence.start();
  return presence;
}
