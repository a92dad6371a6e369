import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../embedded/server/free-port.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService, databasePid, newDataDir } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

/** Runs the service until it exits. Returns its exit code and the lines of its standard error. */
async function failToStart(env: Record<string, string>): Promise<{ code: unknown; lines: string[] }> {
  const service = ChildService.spawn({ LOG_LEVEL: 'warn', ...env });
  const code = await Promise.race([service.exited.then((exit) => exit.code), service.ready().then(() => 'it started')]);
  expect(service.stdout).toBe('');
  return { code, lines: service.stderr.trimEnd().split('\n') };
}

async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return String((server.address() as AddressInfo).port);
}

async function dsnWith(change: (dsn: URL) => void): Promise<string> {
  const dsn = new URL(await createTestDatabase());
  change(dsn);
  return dsn.href;
}

test('a taken port is named, and the database that was already started is stopped', async () => {
  const [port, dataDir] = [await takenPort(), await newDataDir()];
  const { code, lines } = await failToStart({ GRPC_PORT: port, DATA_DIR: dataDir });
  expect(lines).toEqual([`error: cannot listen for gRPC on 127.0.0.1:${port}: the port is taken (set GRPC_PORT)`]);
  expect(code).toBe(1);
  expect(databasePid(dataDir)).toBeUndefined();
});

test('an address that the machine does not have is named', async () => {
  const { code, lines } = await failToStart({
    HOST: '192.0.2.1',
    POSTGRES_DSN: await createTestDatabase(),
    LOG_LEVEL: 'error', // else it warns of plain text there
  });
  expect(lines).toEqual([
    expect.stringMatching(/^error: cannot listen for gRPC on 192\.0\.2\.1:0: .*(EADDRNOTAVAIL|not available)/),
  ]);
  expect(code).toBe(1);
});

test('a data folder that another service uses is refused, and that service keeps running', async () => {
  const dataDir = await newDataDir();
  const first = await ChildService.start({ DATA_DIR: dataDir });
  const database = databasePid(dataDir);

  const { code, lines } = await failToStart({ DATA_DIR: dataDir });

  expect(lines).toEqual([
    expect.stringMatching(
      new RegExp(`^error: the data folder .* is in use by another chat service \\(pid ${first.pid}\\)`),
    ),
  ]);
  expect(code).toBe(1);
  expect(databasePid(dataDir)).toBe(database);
});

test('a data folder that cannot be used is named', async () => {
  const file = join(await newDataDir(), 'file');
  await writeFile(file, '');
  const { code, lines } = await failToStart({ DATA_DIR: file });
  expect(lines).toEqual([expect.stringMatching(new RegExp(`^error: cannot use the data folder ${file}`))]);
  expect(code).toBe(1);
});

test('a database that is unreachable, refuses the login or does not exist is named, without the password', async () => {
  const port = String(await freePort());
  const cases = [
    { dsn: await dsnWith((dsn) => (dsn.port = port)), migrate: true, says: /ECONNREFUSED/ },
    { dsn: await dsnWith((dsn) => (dsn.hostname = 'no.invalid')), migrate: false, says: /ENOTFOUND|EAI_AGAIN/ },
    { dsn: await dsnWith((dsn) => (dsn.password = 'wrong-secret')), migrate: true, says: /password .* failed/ },
    { dsn: await dsnWith((dsn) => (dsn.password = 'wrong-secret')), migrate: false, says: /password .* failed/ },
    { dsn: await dsnWith((dsn) => (dsn.pathname = '/none')), migrate: false, says: /database "none" does not exist/ },
  ];
  for (const { dsn, migrate, says } of cases) {
    const { code, lines } = await failToStart({ POSTGRES_DSN: dsn, MIGRATE_ON_START: String(migrate) });
    expect(lines).toEqual([expect.stringMatching(/^error: cannot use the database postgres:/)]);
    expect(lines[0]).toMatch(says);
    expect(lines[0]).not.toContain(new URL(dsn).password);
    expect(code).toBe(1);
  }
});

test('a database without the schema is named if the service does not migrate at its start', async () => {
  const dsn = await dsnWith((url) => (url.pathname = '/postgres'));
  const { code, lines } = await failToStart({
    POSTGRES_DSN: dsn,
    MIGRATE_ON_START: 'false',
    LOG_LEVEL: 'error', // else it warns of the settings of the tests' PostgreSQL
  });
  expect(lines).toEqual([expect.stringMatching(/^error: cannot use the database .*(schema|migrate|relation)/)]);
  expect(code).toBe(1);
});

test('all invalid settings are named at once', async () => {
  const { code, lines } = await failToStart({
    GRPC_PORT: 'http',
    LOG_LEVEL: 'loud',
    AUTH_GUESTS: 'perhaps',
    POSTGRES_DSN: 'mysql://user:secret@host/db',
    MAX_TEXT_LENGTH: '0',
    ROOMS: 'ok, not ok',
  });
  expect(lines).toHaveLength(6);
  for (const name of ['GRPC_PORT', 'LOG_LEVEL', 'AUTH_GUESTS', 'POSTGRES_DSN', 'MAX_TEXT_LENGTH', 'ROOMS']) {
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^error: ${name} must be `)));
  }
  expect(lines.join()).not.toContain('secret');
  expect(code).toBe(2);
});

test.for(['SIGINT', 'SIGTERM'] as const)(
  '%s stops the service and its database in order, also while it is starting',
  async (signal) => {
    const dataDir = await newDataDir();
    const early = ChildService.spawn({ DATA_DIR: dataDir, LOG_LEVEL: 'debug' });
    await eventually(() => expect(early.stdout).toContain('postgres'));
    early.signal(signal);
    expect(await early.exited).toEqual({ code: 0, signal: null });
    expect(databasePid(dataDir)).toBeUndefined();
    expect(early.stderr).toBe('');

    const service = await ChildService.start({ DATA_DIR: dataDir });
    service.signal(signal);
    expect(await service.exited).toEqual({ code: 0, signal: null });
    expect(databasePid(dataDir)).toBeUndefined();
    expect(service.logs.map(({ msg }) => msg).slice(-2)).toEqual(['stopping', 'stopped']);
  },
);
