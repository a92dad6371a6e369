import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRedisClient, type RedisClient, whenReady } from '../client/redis/redis-client.ts';
import { startRedis } from '../servers/brokers.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import { eventually } from '../testing/eventually.ts';
import { fastestOf } from '../testing/fastest-of.ts';
import { outcomes, testRateLimiter, times } from './rate-limiter-conformance.ts';
import { RedisRateLimiter } from './redis-rate-limiter.ts';

let server: ServerProcess;
const clients: RedisClient[] = [];
beforeAll(async () => {
  server = await startRedis();
  for (let count = 0; count < 2; count += 1) {
    const client = createRedisClient({ url: `redis://127.0.0.1:${server.port}` }, () => {});
    clients.push(client);
    await whenReady(client, 10_000);
  }
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
});

let prefix = '';
beforeEach(() => {
  prefix = `test-${randomUUID()}:`;
});
const rates = { named: { Password: { points: 4, seconds: 60 } }, others: { points: 4, seconds: 60 } };
const limiters = () => clients.map((client) => new RedisRateLimiter(client, prefix, rates));

describe('a rate limiter in Redis', () => {
  testRateLimiter((own) => new RedisRateLimiter(clients[0]!, prefix, own));

  test('counts for all nodes together', async () => {
    const [here, there] = limiters();
    expect(await outcomes(times(3, () => here!.consume('GetChat', 'alice')))).toEqual(['ok', 'ok', 'ok']);
    expect(await outcomes(times(2, () => there!.consume('GetChat', 'alice')))).toEqual(['ok', 'RATE_LIMITED']);
    expect(await outcomes(times(1, () => here!.consume('GetChat', 'alice')))).toEqual(['RATE_LIMITED']);
  });

  test('forgets uses for all nodes', async () => {
    const [here, there] = limiters();
    expect(await outcomes(times(3, () => here!.consume('Password', 'alice')))).toEqual(['ok', 'ok', 'ok']);
    await there!.forget('Password', 'alice');
    expect(await outcomes(times(4, () => here!.consume('Password', 'alice')))).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test('sends no command to Redis for a caller over the limit', async () => {
    const [here] = limiters();
    await outcomes(times(5, () => here!.consume('GetChat', 'alice')));
    const calls = async () => (await clients[0]!.info('commandstats')).match(/cmdstat_incrby:calls=(\d+)/)?.[1];
    const before = await calls();
    await outcomes(times(100, () => here!.consume('GetChat', 'alice')));
    expect(await calls()).toBe(before);
  });

  test('uses only keys with its prefix, and they expire', async () => {
    const [here] = limiters();
    await here!.consume('Password', 'alice');
    expect(await clients[0]!.keys(`${prefix}*`)).toEqual([`${prefix}rate:Password:alice`]);
    expect(await clients[0]!.ttl(`${prefix}rate:Password:alice`)).toBeGreaterThan(50);
  });

  test.each([
    ['dead', () => server.kill(), () => server.restart()],
    ['frozen', async () => server.signal('SIGSTOP'), async () => server.signal('SIGCONT')],
  ])('limits each node by itself while Redis is %s, without waiting for it', async (_, lose, restore) => {
    const [here, there] = limiters();
    await lose();
    try {
      for (const limiter of [here, there]) {
        const results = await outcomes(times(6, () => limiter!.consume('GetChat', 'alice')));
        expect(results).toEqual(['ok', 'ok', 'ok', 'ok', 'RATE_LIMITED', 'RATE_LIMITED']);
      }
      let users = 0;
      const use = () => outcomes([() => here!.consume('GetChat', `user ${users++}`)]);
      // The client waits a second for an answer.
      expect(await fastestOf(100, use)).toBeLessThan(1_000);
    } finally {
      await restore();
    }
    await eventually(() => expect(clients.map(({ status }) => status)).toEqual(['ready', 'ready']));
    expect(await outcomes(times(3, () => here!.consume('GetChat', 'bob')))).toEqual(['ok', 'ok', 'ok']);
    expect(await outcomes(times(2, () => there!.consume('GetChat', 'bob')))).toEqual(['ok', 'RATE_LIMITED']);
  });
});
