import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  type ConsoleService,
  newAdministrator,
  startConsole,
} from '../../internal/testing/services/console-service.ts';
import { issueToken } from '../../internal/testing/services/tokens.ts';
import { runProgram } from './testing/run-program.ts';

let admin: ConsoleService;
beforeAll(async () => {
  admin = await startConsole();
});
afterAll(() => admin.service.stop());

const run = (...args: string[]) => runProgram([...args, '--url', admin.url], { ADMIN_ACCESS_TOKEN: admin.token });

test('overview prints lines, or JSON', async () => {
  expect((await run('overview')).stdout).toMatch(/^state +ready\nversion +\d/);
  expect(JSON.parse((await run('overview', '--json')).stdout)).toMatchObject({ ready: true, roles: expect.any(Array) });
});

test('sign-in prints the token that the other sub-commands need', async () => {
  const { username, password } = await newAdministrator(admin.service);
  const folder = await mkdtemp(join(tmpdir(), 'chat-admin-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'password'), `${password}\n`);
  const { stdout } = await run('sign-in', '--user', username, '--password-file', join(folder, 'password'));
  await writeFile(join(folder, 'token'), stdout);
  expect(await run('overview', '--token-file', join(folder, 'token'))).toMatchObject({ code: 0 });
});

test('a token without the role is refused, and a missing one has an exit code of its own', async () => {
  const { token } = await issueToken(admin.service.dsn, { userId: 'alice' });
  const asAlice = await runProgram(['overview', '--url', admin.url], { ADMIN_ACCESS_TOKEN: token });
  expect(asAlice).toMatchObject({ code: 1, stderr: 'error: your account does not have the role admin\n' });
  expect(await runProgram(['overview', '--url', admin.url])).toMatchObject({ code: 4 });
});
