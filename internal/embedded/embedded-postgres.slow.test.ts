import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { EmbeddedPostgresError } from './errors/embedded-postgres-error.ts';
import { waitUntil } from './system/wait-until.ts';
import { failureOf, query, TestBench } from './testing/test-bench.ts';

const bench = new TestBench();
afterEach(() => bench.clean());

// Slow: servers are created and killed, and one is given up only after it has failed again and again.
describe('a server that is killed', () => {
  test('comes back by itself where it was, with what was committed', async () => {
    const server = await bench.start(bench.folder());
    await query(server.dsn, 'create table kept as select 1 as n');
    for (let n = 2; n <= 3; n++) {
      const before = server.pid;
      process.kill(before, 'SIGKILL');
      expect(await waitUntil(() => server.pid !== before, 10_000)).toBe(true);
      await query(server.dsn, `insert into kept values (${n})`);
    }
    expect(await query(server.dsn, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('stays down when it is stopped in that moment', async () => {
    const dataDir = bench.folder();
    const server = await bench.start(dataDir);
    process.kill(server.pid, 'SIGKILL');
    await server.stop();
    expect(await server.exited).toBeUndefined();
    await (await bench.start(dataDir)).stop();
  });

  test('is given up when it cannot be brought back', async () => {
    const dataDir = bench.folder();
    const server = await bench.start(dataDir);
    rmSync(join(dataDir, 'postgres', 'global', 'pg_control'));
    process.kill(server.pid, 'SIGKILL');
    const error = await server.exited;
    expect(error).toBeInstanceOf(EmbeddedPostgresError);
    expect(error?.message).toContain('cannot be kept running');
    await server.stop();
  });

  test('keeps its folder marked as in use when only its sessions are lost', async () => {
    const dataDir = bench.folder();
    const lines: string[] = [];
    const server = await bench.start(dataDir, { log: (line) => lines.push(line) });
    const kill = 'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $$';
    await query(server.dsn, `${kill}${process.pid}$$`);
    await waitUntil(() => lines.some((line) => line.includes('opening another')), 5_000);
    expect(await failureOf(bench.start(dataDir))).toContain(`another chat service (pid ${process.pid})`);
    expect(await query(server.dsn, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});
