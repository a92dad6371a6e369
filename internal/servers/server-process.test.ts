import { expect, test } from 'vitest';
import { isAlive } from '../embedded/system/process-state.ts';
import { eventually } from '../testing/eventually.ts';
import { startRedis } from './brokers.ts';

test('a server that is started again twice at once is one, and none is left in the end', async () => {
  const server = await startRedis();
  await server.kill();
  const pids = new Set<number>();
  const restart = async () => {
    const restarted = server.restart();
    pids.add(server.pid!);
    await restarted;
  };
  await Promise.all([restart(), restart()]);
  await server.stop();
  expect(pids.size).toBe(1);
  await eventually(() => expect([...pids].filter(isAlive)).toEqual([]));
});
