import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { newRoom, signIn } from '../../internal/testing/clients/person.ts';
import { commands } from '../../internal/testing/clients/stream-probe.ts';
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

test('every list prints a table, or JSON', async () => {
  const transport = admin.service.transport();
  const alice = await signIn(transport, 'alice');
  const stream = await alice.connect();
  onTestFinished(() => stream.close());
  const room = await newRoom(alice);
  await stream.ask(commands.subscribe(room.id, 0));
  const user = ['--id', alice.id];
  const lists: [string[], RegExp, string][] = [
    [['nodes'], new RegExp(`^HOST .*\\n.* ${process.pid} +true`), 'nodes'],
    [['streams'], new RegExp(`^ID .*\\n[^ ]+ +${alice.id} +grpc .* 1$`, 'm'), 'streams'],
    [['chats'], new RegExp(`^ID .*\\n${room.id} `), 'chats'],
    [['rooms', '--name', room.name], new RegExp(`^ID .*\\n${room.id} +${room.name} `), 'rooms'],
    [['chat', '--id', room.id], new RegExp(`${room.name}[\\s\\S]*MEMBER .*\\n${alice.id} `), 'members'],
    [['users', '--prefix', alice.id], new RegExp(`^ID .*\\n${alice.id} +${alice.name}`), 'users'],
    [['user', ...user], new RegExp(`^CHAT .*\\n${room.id} [\\s\\S]*\\n\\nnone`), 'chats'],
    [['bans'], /^none/, 'bans'],
    [['audit'], /^AT .*\n.*chat.create/, 'events'],
    [['background'], /^none\ndeleted chats to remove: 0/, 'sinks'],
    [['settings'], /^NAME .*\n[\s\S]*POSTGRES_DSN +postgres:\/\/[\s\S]*RATE_LIMIT_CALLS +0 +yes/, 'settings'],
  ];
  for (const [args, expected, field] of lists) {
    expect((await run(...args)).stdout, args[0]).toMatch(expected);
    expect(JSON.parse((await run(...args, '--json')).stdout)[field], args[0]).toBeInstanceOf(Array);
  }
});

test('acts are done, and what they need is named', async () => {
  const alice = await signIn(admin.service.transport(), 'alice');
  const stream = await alice.connect();
  expect(await run('ban', '--user', alice.id)).toMatchObject({ code: 1, stderr: 'error: --reason must be given\n' });
  expect(await run('ban', '--user', alice.id, '--reason', 'spam')).toMatchObject({ code: 0, stdout: 'done\n' });
  expect(await stream.ended).toMatchObject({ reason: 'BANNED' });
  expect((await run('bans')).stdout).toMatch(new RegExp(`^USER .*\n${alice.id} +spam`));
  expect(await run('unban', '--user', alice.id)).toMatchObject({ code: 0 });
  expect(await run('unban', '--user', alice.id)).toMatchObject({ code: 1, stderr: expect.stringContaining('ban') });
  const again = await alice.connect();
  const [open] = JSON.parse((await run('streams', '--user', alice.id, '--json')).stdout).streams;
  expect(await run('close-stream', '--id', open.id)).toMatchObject({ code: 0 });
  expect(await again.ended).toMatchObject({ reason: 'DRAINING' });
});

test('a token without the role is refused, and a missing one has an exit code of its own', async () => {
  const { token } = await issueToken(admin.service.dsn, { userId: 'alice' });
  const asAlice = await runProgram(['overview', '--url', admin.url], { ADMIN_ACCESS_TOKEN: token });
  expect(asAlice).toMatchObject({ code: 1, stderr: 'error: your account does not have the role admin\n' });
  expect(await runProgram(['overview', '--url', admin.url])).toMatchObject({ code: 4 });
});
