import { decodeJwt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { ChildService, databasePid, newDataDir } from '../../testing/services/child-service.ts';
import { type Outcome, runProgram as run } from '../../testing/services/run-program.ts';

async function logIn(url: string, username: string, password: string) {
  const response = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    body: JSON.stringify({ username, password }),
  });
  return { status: response.status, ...((await response.json()) as { accessToken: string; refreshToken: string }) };
}

const passwordIn = ({ stdout }: Outcome) => /its password, shown only now: (\S+)/.exec(stdout)?.[1] ?? '';

test('accounts are created and keys are rotated while the service runs, and while it does not', async () => {
  const env = { DATA_DIR: await newDataDir() };
  const first = await run('account', ['Root', '--roles', 'admin'], env);
  expect(first).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('created the account root') });
  expect(first.stdout).toContain(`\nin the bundled PostgreSQL in ${env.DATA_DIR}\n`);
  expect(databasePid(env.DATA_DIR)).toBeUndefined();

  const service = await ChildService.start(env);
  const root = await logIn(service.url, 'root', passwordIn(first));
  expect(decodeJwt(root.accessToken)).toMatchObject({ sub: 'root', roles: ['user', 'admin'] });

  const backend = await run('account', ['billing', '--roles', 'service'], env);
  const billing = await logIn(service.url, 'service:billing', passwordIn(backend));
  expect(decodeJwt(billing.accessToken)).toMatchObject({ sub: 'service:billing', name: 'billing', roles: ['service'] });

  const rotated = await run('rotate-keys', ['--now'], env);
  expect(rotated.stdout).toMatch(/^the new key \S+ signs from \d{4}-/);
  expect(rotated.stdout).toContain(`\nin the bundled PostgreSQL in ${env.DATA_DIR}\n`);
  const kid = (token: string) => decodeProtectedHeader(token).kid;
  await eventually(async () => {
    const { accessToken } = await logIn(service.url, 'root', passwordIn(first));
    expect(kid(accessToken)).not.toBe(kid(root.accessToken));
  });
  const me = await fetch(`${service.url}/v1/auth/me`, { headers: { authorization: `Bearer ${root.accessToken}` } });
  expect(me.status).toBe(200);

  expect((await run('account', ['root', '--roles', 'user'], env)).stdout).toMatch(/ended \d+ sessions/);
  await eventually(async () => {
    const refused = await fetch(`${service.url}/v1/auth/me`, {
      headers: { authorization: `Bearer ${root.accessToken}` },
    });
    expect(refused.status).toBe(401);
  });
  expect((await run('account', ['--list'], env)).stdout).toMatch(/^root +user +.*\nservice:billing +service/);
  expect((await run('migrate', [], env)).stdout).toBe('the schema is up to date\n');
});

test('a password is read from standard input or generated; a new one ends the sessions of the old one', async () => {
  const env = { DATA_DIR: await newDataDir() };
  const service = await ChildService.start(env);
  const given = await run('account', ['alice', '--password-stdin'], env, 'seven wooden spoons\n');
  expect([given.code, passwordIn(given)]).toEqual([0, '']);
  const alice = await logIn(service.url, 'alice', 'seven wooden spoons');
  const reset = await run('account', ['alice', '--reset-password'], env);
  expect((await logIn(service.url, 'alice', 'seven wooden spoons')).status).toBe(401);
  expect((await logIn(service.url, 'alice', passwordIn(reset))).status).toBe(200);
  await eventually(async () => {
    const headers = { authorization: `Bearer ${alice.accessToken}` };
    expect((await fetch(`${service.url}/v1/auth/me`, { headers })).status).toBe(401);
  });
  const weak = await run('account', ['bob', '--password-stdin'], env, 'password1\n');
  expect(weak).toMatchObject({
    code: 1,
    stderr: 'error: the password is too easy to guess: it is a common password\n',
  });
});

test.each([
  ['account', [], 'give NAME, or --list'],
  ['account', ['a b'], 'NAME must be 2 to 32 letters'],
  ['account', ['alice', '--roles', 'king'], 'there is no role "king"'],
  ['account', ['alice', '--roles', 'service,admin'], 'cannot be combined with other roles'],
  ['rotate-keys', ['now'], "Unexpected argument 'now'"],
  ['migrate', ['--up'], "Unknown option '--up'"],
  ['backup', [], 'give FOLDER (make backup TO=FOLDER)'],
  ['restore', ['a', 'b'], 'give FOLDER (make restore FROM=FOLDER)'],
  ['ingest-replay', ['--lst'], "Unknown option '--lst'"],
  ['ingest-switch', [], 'give direct or jetstream'],
  ['ingest-switch', ['redis'], 'give direct or jetstream'],
  ['server', ['--port', '1'], "Unknown option '--port'"],
  ['gateway', ['a:50051'], "Unexpected argument 'a:50051'"],
  ['auth-server', ['--port'], "Unknown option '--port'"],
  ['message-writer', ['--port'], "Unknown option '--port'"],
])('%s %j is refused with the fault and the usage', async (program, args, fault) => {
  const { code, stderr } = await run(program, args, {});
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(new RegExp(`^error: .*${fault.replace(/[()?]/g, '.')}[^]*usage: `)),
  ]);
});

test.each([
  ...['server', 'gateway', 'auth-server', 'message-writer'],
  ...['account', 'admin', 'rotate-keys', 'migrate', 'backup', 'restore', 'ingest-replay', 'ingest-switch', 'health'],
  'gen-cert',
])('%s --help prints the usage and starts nothing', async (program) => {
  expect(await run(program, ['--help'], {})).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(`^usage: ${program}\\b`),
    stderr: '',
  });
});

test('with an external issuer, account and rotate-keys are refused', async () => {
  const env = { AUTH_JWKS_URL: 'http://localhost:1/jwks', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' };
  for (const [program, args] of [
    ['account', ['alice']],
    ['rotate-keys', []],
  ] as const) {
    expect(await run(program, [...args], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('external issuer'),
    });
  }
});
