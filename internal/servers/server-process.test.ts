import { expect, test } from 'vitest';
import { isAlive } from '../embedded/system/process-state.ts';
import { eventually } from '../testing/eventually.ts';
import { startRedis } from './brokers.ts';
import { ServerProcess } from './server-process.ts';

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

test('of a program that is not installed the error says how to get it', async () => {
  const program = 'no-such-server';
  await expect(ServerProcess.start({ program, args: () => [] })).rejects.toThrow(
    'no-such-server does not start: it is not installed: apt-get install no-such-server',
  );
});
