import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { createRedisClient, type RedisClient, whenReady } from '../redis/redis-client.ts';
import { RedisPresenceStore } from './redis-presence-store.ts';
import { testSharedPresence } from './shared-presence-conformance.ts';

let server: ServerProcess;
let client: RedisClient;
let prefix = '';
beforeAll(async () => {
  server = await startRedis();
  client = createRedisClient({ url: `redis://127.0.0.1:${server.port}` }, () => {});
  await whenReady(client, 10_000);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const reset = () => {
  prefix = `test-${randomUUID()}:`;
};

describe('presence in Redis', () => {
  testSharedPresence(() => ({
    open: (deadAfterMs) => new RedisPresenceStore(client, { prefix, deadAfterMs }),
    reset,
    async lose() {
      await server.kill();
      await server.restart();
      await whenReady(client, 10_000);
    },
    cut: () => server.kill(),
    async restore() {
      await server.restart();
      await whenReady(client, 10_000);
    },
  }));

  test('uses only keys with its prefix, all in one slot, and they expire', async () => {
    reset();
    await client.set('others', 'stay');
    const store = new RedisPresenceStore(client, { prefix, deadAfterMs: 1_000 });
    await store.replace('node', 1, [{ id: 'alice', name: 'Alice' }]);
    const keys = await client.keys(`${prefix}*`);
    expect(keys.sort()).toEqual(['node:node', 'nodes', 'users'].map((name) => `${prefix}{presence}:${name}`));
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(3_500_000);
    await store.abandon('node');
    expect(await store.sweep()).toEqual([{ id: 'alice', name: 'Alice' }]);
    expect(await client.keys(`${prefix}*`)).toEqual([]);
    expect(await client.get('others')).toBe('stay');
  });
});
