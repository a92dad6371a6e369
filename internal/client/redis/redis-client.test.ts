import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../servers/brokers.ts';
import { eventually } from '../../testing/eventually.ts';
import { createRedisClient } from './redis-client.ts';

test('a refused password does not appear in any error', async () => {
  const redis = await startRedis(['--requirepass', 'another']);
  onTestFinished(() => redis.stop());
  const errors: Error[] = [];
  const url = `redis://:swordfish-1@127.0.0.1:${redis.port}`;
  const client = createRedisClient({ url }, (error) => errors.push(error));
  onTestFinished(() => client.disconnect());
  await eventually(() => expect(errors.map(({ message }) => message).join()).toMatch(/WRONGPASS|NOAUTH/));
  expect(inspect(errors, { depth: 10 })).not.toContain('swordfish-1');
});
