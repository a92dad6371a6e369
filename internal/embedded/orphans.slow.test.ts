import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isAlive } from './system/process-state.ts';
import { waitUntil } from './system/wait-until.ts';
import { kill, query, serverPid, started, TestBench } from './testing/test-bench.ts';

// Slow: each test creates a cluster in another process, kills it and starts again.
const bench = new TestBench();
afterEach(() => bench.clean());

describe('after the service was killed', () => {
  test('the next start stops the server it left, and has the data', async () => {
    const dataDir = bench.folder();
    const service = bench.service(dataDir);
    const orphan = await started(service);
    await query(orphan.dsn, 'create table kept as select 7 as n');
    await kill(service);
    expect(isAlive(orphan.pid)).toBe(true);

    const next = await bench.start(dataDir);
    expect(isAlive(orphan.pid)).toBe(false);
    expect(serverPid(dataDir)).toBe(next.pid);
    expect(await query(next.dsn, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('and its server too, the next start recovers the data', async () => {
    const dataDir = bench.folder();
    const service = bench.service(dataDir);
    const { dsn, pid } = await started(service);
    await query(dsn, 'create table kept as select 7 as n');
    // The service first, or it would bring the server back.
    await kill(service);
    process.kill(pid, 'SIGKILL');
    const next = await bench.start(dataDir);
    expect(await query(next.dsn, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('during its first start, the next start begins anew', async () => {
    const dataDir = bench.folder();
    const service = bench.service(dataDir);
    expect(await waitUntil(async () => (await readdir(dataDir)).length > 0, 10_000)).toBe(true);
    await kill(service);
    const next = await bench.start(dataDir);
    expect(await query(next.dsn, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test.runIf(process.platform === 'linux')('a lock file whose id is now another process does no harm', async () => {
    const dataDir = bench.folder();
    const first = await bench.start(dataDir);
    const lockFile = join(dataDir, 'postgres', 'postmaster.pid');
    const text = readFileSync(lockFile, 'utf8');
    await first.stop();
    const bystander = bench.service(bench.folder());
    await started(bystander);
    writeFileSync(lockFile, text.replace(/^\d+/, String(bystander.pid)));
    const next = await bench.start(dataDir);
    expect(serverPid(dataDir)).toBe(next.pid);
    expect(isAlive(bystander.pid!)).toBe(true);
  });
});

describe('while the service lives', () => {
  test('another one is refused and told which process has the folder', async () => {
    const dataDir = bench.folder();
    const first = bench.service(dataDir);
    const { dsn } = await started(first);
    const { error } = await started(bench.service(dataDir));
    expect(error).toBe(`the data folder ${dataDir}/postgres is in use by another chat service (pid ${first.pid})`);
    expect(await query(dsn, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('of several starts at once on the data of a killed one exactly one wins', async () => {
    const dataDir = bench.folder();
    const killed = bench.service(dataDir);
    await query((await started(killed)).dsn, 'create table kept as select 7 as n');
    await kill(killed);
    const results = await Promise.all([1, 2, 3].map(() => started(bench.service(dataDir))));
    const winners = results.filter(({ error }) => error === undefined);
    expect(winners).toHaveLength(1);
    expect(await query(winners[0]!.dsn, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('of several first starts at once exactly one wins', async () => {
    const dataDir = bench.folder();
    const results = await Promise.all([1, 2, 3].map(() => started(bench.service(dataDir))));
    const winners = results.filter(({ error }) => error === undefined);
    expect(winners).toHaveLength(1);
    for (const { error } of results) if (error) expect(error).toMatch(/is in use by another chat service \(pid \d+\)$/);
    expect(await query(winners[0]!.dsn, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await readdir(dataDir)).toEqual(['postgres']);
  });

  test("the terminal's Ctrl-C does not reach the server", async () => {
    const service = bench.service(bench.folder());
    const { dsn, pid } = await started(service);
    const groupOf = (id = 0) => execFileSync('ps', ['-o', 'pgid=', '-p', String(id)], { encoding: 'utf8' }).trim();
    expect(groupOf(service.pid)).toBe(String(service.pid));
    expect(groupOf(pid)).toBe(String(pid));
    process.kill(-service.pid!, 'SIGINT');
    expect(await query(dsn, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test.runIf(process.platform === 'linux')('the server knows nothing of its environment', async () => {
    const { dsn, pid } = await started(bench.service(bench.folder()));
    const [environment, commandLine] = ['environ', 'cmdline'].map((name) =>
      readFileSync(`/proc/${pid}/${name}`, 'utf8'),
    );
    const names = environment
      ?.split('\0')
      .filter(Boolean)
      .map((entry) => entry.split('=')[0]);
    expect(names?.sort()).toEqual(['LANG', 'LC_ALL', 'PATH', 'TZ']);
    expect(commandLine).not.toContain(new URL(dsn).password);
  });
});
