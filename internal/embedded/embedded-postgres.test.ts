import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { failureOf, query, serverPid, TestBench } from './testing/test-bench.ts';

const bench = new TestBench();
afterEach(() => bench.clean());

describe('the first start', () => {
  test('creates a durable UTF-8 database that listens on loopback only', async () => {
    const server = await bench.start(bench.folder(), { settings: { fsync: 'off', work_mem: '8MB' } });
    const rows = await query<{ name: string; setting: string }>(
      server.dsn,
      `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'work_mem',
         'listen_addresses', 'unix_socket_directories', 'max_connections', 'password_encryption', 'data_checksums')`,
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      work_mem: '8192',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '100',
      password_encryption: 'scram-sha-256',
      data_checksums: 'on',
    });
    const [database] = await query(
      server.dsn,
      `select datname, pg_encoding_to_char(encoding) as encoding, datlocprovider, datlocale, lower('ÄÖÉ') as lower
         from pg_database where datname = current_database()`,
    );
    expect(database).toEqual({
      datname: 'chat',
      encoding: 'UTF8',
      datlocprovider: 'b',
      datlocale: 'C.UTF-8',
      lower: 'äöé',
    });
  });

  test('keeps a random password where only the owner can read it', async () => {
    const [one, two] = [bench.folder(), bench.folder()];
    const passwords = [];
    for (const dataDir of [one, two]) {
      const { password } = new URL((await bench.start(dataDir)).dsn);
      const file = join(dataDir, 'postgres', 'superuser.password');
      expect(readFileSync(file, 'utf8').trim()).toBe(password);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      passwords.push(password);
    }
    expect(passwords[0]).not.toBe(passwords[1]);
  });

  test('refuses connections without the password', async () => {
    const { dsn } = await bench.start(bench.folder());
    const url = new URL(dsn);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password authentication failed/);
  });

  test('is not held up by what a killed first start left behind', async () => {
    const dataDir = bench.folder();
    mkdirSync(join(dataDir, 'postgres'));
    mkdirSync(join(dataDir, '.postgres-incomplete-999999999-abcd', 'data'), { recursive: true });
    await bench.start(dataDir);
    expect(readdirSync(dataDir)).toEqual(['postgres']);
  });
});

describe('a stopped server', () => {
  test('has its data again after the next start', async () => {
    const dataDir = bench.folder();
    const first = await bench.start(dataDir);
    await query(first.dsn, `create table kept as select 'here' as value`);
    await first.stop();
    const second = await bench.start(dataDir);
    expect(await query(second.dsn, 'select value from kept')).toEqual([{ value: 'here' }]);
  });

  test('has ended, also when it is stopped twice', async () => {
    const dataDir = bench.folder();
    const server = await bench.start(dataDir);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(await server.exited).toBeUndefined();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });
});

describe('a start that cannot succeed says in one line why', () => {
  test('when another service uses the folder', async () => {
    const dataDir = bench.folder();
    const server = await bench.start(dataDir);
    expect(await failureOf(bench.start(dataDir))).toBe(
      `the data folder ${dataDir}/postgres is in use by another chat service (pid ${process.pid})`,
    );
    expect(await query(server.dsn, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('when another major version made the data', async () => {
    const dataDir = bench.folder();
    await (await bench.start(dataDir)).stop();
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
    expect(await failureOf(bench.start(dataDir))).toContain('made by PostgreSQL 15, the bundled one is 18');
  });

  test('when the folder holds something else', async () => {
    const dataDir = bench.folder();
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(join(dataDir, 'postgres', 'notes.txt'), 'mine');
    expect(await failureOf(bench.start(dataDir))).toContain('is not a PostgreSQL data folder');
    expect(readFileSync(join(dataDir, 'postgres', 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('when the data folder cannot be a folder', async () => {
    const file = join(bench.folder(), 'file');
    writeFileSync(file, '');
    expect(await failureOf(bench.start(file))).toContain(`cannot use the data folder ${file}`);
  });

  test('when PostgreSQL refuses a setting', async () => {
    const message = await failureOf(bench.start(bench.folder(), { settings: { shared_buffers: 'plenty' } }));
    expect(message).toContain('invalid value for parameter "shared_buffers"');
  });

  test('when the server does not become ready, and leaves none behind', async () => {
    const dataDir = bench.folder();
    await (await bench.start(dataDir)).stop();
    // A standby that takes no reads waits for its primary for ever.
    writeFileSync(join(dataDir, 'postgres', 'standby.signal'), '');
    const message = await failureOf(bench.start(dataDir, { startTimeoutMs: 500, settings: { hot_standby: 'off' } }));
    expect(message).toMatch(/was not ready in 0\.5 s; its log ends with: .*waiting for WAL/);
    expect(serverPid(dataDir)).toBeUndefined();
  });

  test('when it is told to stop before it is ready, and leaves none behind', async () => {
    const dataDir = bench.folder();
    const abort = new AbortController();
    const log = (line: string) => line.includes('starting PostgreSQL') && abort.abort(new Error('enough'));
    await expect(bench.start(dataDir, { log }, abort.signal)).rejects.toThrow();
    expect(serverPid(dataDir)).toBeUndefined();
  });
});
