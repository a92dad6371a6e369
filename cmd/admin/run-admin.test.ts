import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTcpProxy } from '../../internal/testing/faults/tcp-proxy.ts';
import { makeTestCertificates } from '../../internal/testing/services/certificates.ts';
import { ChildService } from '../../internal/testing/services/child-service.ts';
import { programEnv } from '../../internal/testing/services/program-env.ts';
import { createTestDatabase } from '../../internal/testing/services/test-database.ts';
import { startTestService } from '../../internal/testing/services/test-service.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const token = 'a token of the operator';

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts the program in `cwd`. */
function start(args: string[], { cwd = '.', env = {} }: { cwd?: string; env?: Record<string, string> } = {}) {
  const ended = Promise.withResolvers<Outcome>();
  const child = execFile(
    process.execPath,
    [main, ...args],
    { cwd, env: { ...programEnv(), ...env } },
    (error, stdout, stderr) => ended.resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
  );
  return { child, ended: ended.promise };
}

const run = (...args: Parameters<typeof start>) => start(...args).ended;

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-admin-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Starts the real service; returns the options that lead to its admin port. */
async function startService(cwd: string): Promise<string[]> {
  const service = await ChildService.start({
    POSTGRES_DSN: await createTestDatabase(),
    ADMIN: 'true',
    ADMIN_PORT: '0',
    ADMIN_TOKEN: token,
  });
  const tokenFile = join(cwd, 'token');
  await writeFile(tokenFile, `${token}\n`);
  return ['--url', /metrics +(\S+)\/metrics/.exec(service.stderr)![1]!, '--token-file', tokenFile];
}

test('the sub-commands report and write files that only their owner can read', async () => {
  const cwd = await newFolder();
  const service = await startService(cwd);
  expect(await run(['ready', ...service])).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  const report = await run(['event-loop', ...service]);
  expect(report.stdout).toMatch(/^eventLoop\.utilization +[\d.]+$/m);
  const json = JSON.parse((await run(['event-loop', '--json', ...service])).stdout);
  expect(json.memory.heapUsed).toBeGreaterThan(0);

  const profile = await run(['cpu-profile', '--seconds', '1', ...service], { cwd });
  const [, name = ''] = /^wrote (chat-.*\.cpuprofile) \([\d.]+ MiB\)\n$/.exec(profile.stdout)!;
  expect(JSON.parse(await readFile(join(cwd, name), 'utf8')).samples.length).toBeGreaterThan(0);
  const output = join(cwd, 'heap.heapsnapshot');
  const { stdout } = await run(['heap-snapshot', '--output', output, '--json', ...service]);
  const { size, mode } = await stat(output);
  expect(JSON.parse(stdout)).toEqual({ file: output, bytes: size });
  expect(mode & 0o077).toBe(0);
  expect(JSON.parse(await readFile(output, 'utf8')).nodes.length).toBeGreaterThan(10_000);

  expect(await run(['heap-snapshot', '--output', output, ...service])).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: ${output} exists already\n`,
  });
  expect(await run(['cpu-profile', '--seconds', '61', ...service], { cwd })).toMatchObject({
    code: 1,
    stderr: 'error: seconds must be a whole number from 1 to 60\n',
  });
});

test('an interruption ends the recording, and leaves no file', async () => {
  const cwd = await newFolder();
  const service = await startService(cwd);
  const both = [1, 2].map(() => start(['cpu-profile', '--seconds', '60', ...service], { cwd }));
  // One of them records, so the other is refused.
  const refused = await Promise.race(both.map(({ ended }) => ended));
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('a CPU profile is being taken') });
  for (const { child } of both) child.kill('SIGINT');
  expect((await Promise.all(both.map(({ ended }) => ended))).map(({ code }) => code).toSorted()).toEqual([1, 130]);
  expect(await readdir(cwd)).toEqual(['token']);
});

test('a service that is not ready is told with its reasons, and the exit code says so', async () => {
  const proxy = await startTcpProxy(await createTestDatabase());
  onTestFinished(() => proxy.close());
  const admin = { ADMIN: 'true', ADMIN_PORT: '0', ADMIN_TOKEN: token };
  const service = await startTestService(admin, { dsn: proxy.dsn });
  onTestFinished(() => service.stop());
  const url = ['--url', `http://127.0.0.1:${service.app.adminPort}`];
  expect((await run(['ready', ...url])).code).toBe(0);
  proxy.cut();
  await eventually(async () =>
    expect(await run(['ready', ...url])).toMatchObject({ code: 1, stdout: 'not ready: PostgreSQL is away\n' }),
  );
  proxy.restore();
});

test('the token is read from a file or the environment, and a wrong one has an exit code of its own', async () => {
  const service = await startTestService({ ADMIN: 'true', ADMIN_PORT: '0', ADMIN_TOKEN: token });
  onTestFinished(() => service.stop());
  const url = ['--url', `http://127.0.0.1:${service.app.adminPort}`];
  expect(await run(['event-loop', ...url])).toMatchObject({
    code: 4,
    stderr: 'error: a bearer token is required: ADMIN_TOKEN\n',
  });
  expect((await run(['event-loop', ...url], { env: { ADMIN_TOKEN: token } })).code).toBe(0);
});

test('it shows a certificate where the service asks for one', async () => {
  const certificates = await makeTestCertificates();
  onTestFinished(() => certificates.remove());
  const { TLS_CERT, TLS_KEY } = certificates.env;
  const admin = { ADMIN: 'true', ADMIN_PORT: '0', ADMIN_TLS_CERT: TLS_CERT, ADMIN_TLS_KEY: TLS_KEY };
  const service = await startTestService({ ...admin, ADMIN_CLIENT_CA: certificates.ca });
  onTestFinished(() => service.stop());
  const trusting = ['--url', `https://localhost:${service.app.adminPort}`, '--tls-ca', certificates.ca];
  const showing = [...trusting, '--tls-cert', certificates.clientCert, '--tls-key', certificates.clientKey];
  expect(await run(['ready', ...showing])).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  expect((await run(['ready', ...trusting])).code).toBe(3);
});

test.each([
  [['nope'], 'there is no sub-command "nope"'],
  [['ready', '--worker', '1'], "unknown option '--worker'"],
  [['ready', 'now'], "unexpected argument 'now'"],
  [['ready', '--url', 'localhost:9464'], '--url must be a URL that begins with http:// or https://'],
  [['ready', '--token-file', '/nowhere/token'], '--token-file: cannot read /nowhere/token (ENOENT)'],
  [['ready', '--tls-ca', 'x'], '--tls-ca and --tls-cert need a --url that begins with https://'],
  [['ready', '--tls-cert', 'x'], '--tls-cert and --tls-key must be given together'],
])('%j is refused with the fault and the usage', async (args, fault) => {
  const { code, stderr } = await run(args);
  expect([code, stderr.split('\n')[0]]).toEqual([2, expect.stringContaining(`error: ${fault}`)]);
  expect(stderr).toContain('usage: admin');
});

test('a service that cannot be reached is told', async () => {
  expect(await run(['ready', '--url', 'http://127.0.0.1:1'])).toEqual({
    code: 3,
    stdout: '',
    stderr: 'error: cannot reach http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n',
  });
});
