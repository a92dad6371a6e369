import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { locateBinaries } from './binaries/binaries.ts';
import { reachableBinaries } from './binaries/binaries-cache.ts';
import { canReach } from './system/os-user.ts';
import { waitUntil } from './system/wait-until.ts';
import { query, started, TestBench } from './testing/test-bench.ts';

// Slow: each test creates a cluster as another user of the system.
const NOBODY = { uid: 65_534, gid: 65_534 };
const silent = () => {};
const bench = new TestBench();
afterEach(() => bench.clean());

function userOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }));
}

// An ordinary user runs all other tests as what it is; these are about what root must do besides.
describe.runIf(process.getuid?.() === 0)('started by root', () => {
  test('the server runs as another user, which owns the data', async () => {
    const dataDir = bench.folder();
    const { pid } = await bench.start(dataDir);
    const uid = userOf(pid);
    expect(uid).not.toBe(0);
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(uid);
    expect(statSync(join(dataDir, 'postgres', 'superuser.password')).uid).toBe(uid);
  });

  test('the owner of existing data stays its owner', async () => {
    const dataDir = bench.folder();
    mkdirSync(join(dataDir, 'postgres'));
    chownSync(join(dataDir, 'postgres'), NOBODY.uid, NOBODY.gid);
    for (const _ of ['first start', 'second start']) {
      const server = await bench.start(dataDir);
      expect(userOf(server.pid)).toBe(NOBODY.uid);
      await server.stop();
    }
  });

  test('data that came to belong to root, as from a backup, is served again', async () => {
    const [dataDir, copyDir] = [bench.folder(), bench.folder()];
    const server = await bench.start(dataDir);
    await query(server.dsn, 'create table kept as select 7 as n');
    await server.stop();
    cpSync(join(dataDir, 'postgres'), join(copyDir, 'postgres'), { recursive: true });
    chmodSync(join(copyDir, 'postgres'), 0o755);
    expect(statSync(join(copyDir, 'postgres', 'base')).uid).toBe(0);
    const copy = await bench.start(copyDir);
    expect(await query(copy.dsn, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test("root's files that are not a database's are left as they are", async () => {
    const dataDir = bench.folder();
    const file = join(dataDir, 'postgres', 'notes.txt');
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(file, 'mine');
    const before = [statSync(join(dataDir, 'postgres')), statSync(file)].map(({ uid, mode }) => ({ uid, mode }));
    await expect(bench.start(dataDir)).rejects.toThrow(/not a PostgreSQL data folder/);
    const after = [statSync(join(dataDir, 'postgres')), statSync(file)].map(({ uid, mode }) => ({ uid, mode }));
    expect(after).toEqual(before);
  });

  test('a data folder that only root can reach is used all the same', async () => {
    const dataDir = bench.folder(0o700);
    const first = await bench.start(dataDir);
    await query(first.dsn, 'create table kept as select generate_series(1, 20000) as n');
    await query(first.dsn, 'checkpoint');
    await query(first.dsn, 'insert into kept values (0)');
    const before = first.pid;
    process.kill(before, 'SIGKILL');
    expect(await waitUntil(() => first.pid !== before, 10_000)).toBe(true);
    expect(await query(first.dsn, 'select pg_reload_conf() as reloaded')).toEqual([{ reloaded: true }]);
    expect(await query(first.dsn, 'select count(*)::int as count from kept')).toEqual([{ count: 20_001 }]);
    await first.stop();
    const second = await bench.start(dataDir);
    expect(await query(second.dsn, 'select count(*)::int as count from kept')).toEqual([{ count: 20_001 }]);
    expect(userOf(second.pid)).not.toBe(0);
    await expect(bench.start(dataDir)).rejects.toThrow(/in use by another chat service/);
    expect(readdirSync(dataDir)).toEqual(['postgres']);
  });

  test('programs that only root can reach are copied once to where the server can run them', async () => {
    const hidden = bench.folder(0o700);
    const cacheDir = join(bench.folder(), 'cache');
    const installed = locateBinaries();
    cpSync(installed.dir, join(hidden, 'native'), { recursive: true, verbatimSymlinks: true });
    for (const name of readdirSync(join(hidden, 'native'))) chmodSync(join(hidden, 'native', name), 0o700);
    const binaries = { ...installed, dir: join(hidden, 'native') };
    const umask = process.umask(0o077);
    const [one, two] = await Promise.all([
      reachableBinaries(binaries, NOBODY, silent, cacheDir),
      reachableBinaries(binaries, NOBODY, silent, cacheDir),
    ]).finally(() => process.umask(umask));
    expect(two).toBe(one);
    expect(readdirSync(cacheDir)).toHaveLength(1);
    execFileSync(join(one, 'bin', 'initdb'), ['--version'], { ...NOBODY, cwd: '/' });
    execFileSync('cat', [join(one, 'share', 'postgresql', 'postgres.bki')], { ...NOBODY, cwd: '/', stdio: 'ignore' });
    const { ino } = statSync(one);
    expect(await reachableBinaries(binaries, NOBODY, silent, cacheDir)).toBe(one);
    expect(statSync(one).ino).toBe(ino);
    chmodSync(one, 0o777);
    await expect(reachableBinaries(binaries, NOBODY, silent, cacheDir)).rejects.toThrow(/only root can write to/);
  });

  test('programs that the server can reach are not copied', async () => {
    const binaries = { ...locateBinaries(), dir: bench.folder() };
    cpSync(join(locateBinaries().dir, 'bin'), join(binaries.dir, 'bin'), { recursive: true });
    expect(await canReach(join(binaries.dir, 'bin', 'postgres'), NOBODY)).toBe(true);
    expect(await reachableBinaries(binaries, NOBODY, silent, '/nonexistent/cache')).toBe(binaries.dir);
  });
});

describe.runIf(process.getuid?.() === 0)('started by an ordinary user', () => {
  beforeEach(async ({ skip }) => {
    skip(!(await canReach(join(locateBinaries().dir, 'bin', 'postgres'), NOBODY)), 'only root can reach this checkout');
  });

  test('the server runs as that user', async () => {
    const dataDir = bench.folder();
    chownSync(dataDir, NOBODY.uid, NOBODY.gid);
    const { dsn, pid, error } = await started(bench.service(dataDir, NOBODY.uid));
    expect(error).toBeUndefined();
    expect(userOf(pid)).toBe(NOBODY.uid);
    expect(await query(dsn, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(readFileSync(join(dataDir, 'postgres', 'PG_VERSION'), 'utf8')).toBe('18\n');
  });

  test("another user's data folder is refused in one line", async () => {
    const dataDir = bench.folder();
    await (await bench.start(dataDir)).stop();
    expect((await started(bench.service(dataDir, NOBODY.uid))).error).toContain(
      `cannot use the data folder ${dataDir}`,
    );
    chmodSync(dataDir, 0o777);
    expect((await started(bench.service(dataDir, NOBODY.uid))).error).toMatch(/belongs to another user \(uid \d+\)/);
  });
});
