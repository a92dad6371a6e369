import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { runChat, startChat, startChatInTerminal, stopChats } from './testing/chat-process.ts';

const password = 'seven wooden spoons';
let service: TestService;
let folder: string;
let session: string;
beforeAll(async () => {
  service = await startTestService({ AUTH_TOKEN_TTL_SECONDS: '31' });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-session-'));
  session = join(folder, 'config', 'session.json');
});
afterEach(async () => {
  stopChats();
  await rm(folder, { recursive: true });
});
afterAll(() => service.stop());

/** Runs with this test's session file, over gRPC. */
const chat = (args: string[], input?: string) =>
  runChat([...args, '--addr', service.address, '--session', session], { input });

let names = 0;
const newName = (name: string) => `${name}${++names}`;

async function registered(name = newName('carol')): Promise<string> {
  expect(await chat(['register', name, '--password-stdin'], `${password}\n`)).toMatchObject({ code: 0 });
  return name;
}

async function json(args: string[], input?: string) {
  const { code, output, errors } = await chat([...args, '--json'], input);
  expect([code, errors]).toEqual([0, '']);
  return output
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('a session', () => {
  test('is kept between runs in a file that only its owner may read, and ends with logout', async () => {
    const name = await registered();
    expect((await stat(session)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'config'))).mode & 0o777).toBe(0o700);
    expect(await json(['whoami'])).toMatchObject([{ name, roles: ['user'], address: service.address }]);

    expect(await chat(['logout'])).toMatchObject({ code: 0, output: expect.stringContaining(`Signed out ${name}`) });
    expect(await readFile(session, 'utf8')).not.toContain('refreshToken');
    expect(await chat(['whoami'])).toMatchObject({ code: 4, errors: expect.stringContaining('not signed in') });
    expect(await chat(['logout'])).toMatchObject({ code: 4 });

    expect(await chat(['login', name, '--password-stdin'], password)).toMatchObject({
      code: 0,
      output: `Signed in as ${name} at ${service.address}\n`,
    });
    expect(await chat(['whoami'])).toMatchObject({ code: 0, output: expect.stringContaining(name) });
  });

  test('is refreshed when its token is about to expire, by several programs at once without ending it', async () => {
    const name = await registered();
    const before = await readFile(session, 'utf8');
    const { sessions } = JSON.parse(before) as { sessions: Record<string, { expiresAt: string }> };
    const [stored] = Object.values(sessions);
    await eventually(() => expect(Date.parse(stored!.expiresAt) - Date.now()).toBeLessThan(30_000));
    const all = await Promise.all(Array.from({ length: 4 }, () => chat(['whoami'])));
    for (const run of all) expect(run).toMatchObject({ code: 0, output: expect.stringContaining(name) });
    expect(await readFile(session, 'utf8')).not.toBe(before);
    expect(await chat(['whoami'])).toMatchObject({ code: 0 });
  });

  test('in a file that others can read is closed to them, with a warning', async () => {
    await registered();
    await chmod(session, 0o644);
    const { code, errors } = await chat(['whoami']);
    expect([code, errors]).toEqual([0, expect.stringContaining('could be read by others')]);
    expect((await stat(session)).mode & 0o777).toBe(0o600);
  });

  test('is that of the conversation, too', async () => {
    const name = await registered();
    const talking = startChat('--addr', service.address, '--session', session);
    await talking.shows(`as ${name}.`);
    talking.type('hello\n');
    await talking.shows('[Sent to global] hello');
    talking.end();
    expect(await talking.exited).toBe(0);
  });

  test('begins with a password that is typed without being shown', async () => {
    const name = await registered();
    await chat(['logout']);
    const login = startChatInTerminal({}, 'login', name, '--addr', service.address, '--session', session);
    await login.shows('Password: ');
    login.type(`${password}\r`);
    await login.shows(`Signed in as ${name}`);
    expect(login.output).not.toContain('spoons');
    expect(await login.exited).toBe(0);
  });
});

describe('scripts', () => {
  test('create chats, send, read and delete', async () => {
    const name = await registered();
    const [group] = await json(['create-chat', '--group', 'Lunch', 'dave', 'erin']);
    expect(group).toMatchObject({ name: 'Lunch', type: 'CHAT_TYPE_GROUP', memberCount: 3, created: true });
    const [sent] = await json(['send-message', group.id, '--id', 'one'], 'from\nstdin\n');
    expect(await json(['send-message', group.id, 'from\nstdin', '--id', 'one'])).toEqual([sent]);
    expect(sent).toMatchObject({ chatId: group.id, seq: 2, clientMessageId: 'one' });

    expect(await json(['history', group.id])).toMatchObject([{ seq: 1 }, { seq: 2, text: 'from\nstdin' }]);
    const { output } = await chat(['history', group.id, '1']);
    expect(output).toMatch(new RegExp(`^\\[\\d\\d:\\d\\d:\\d\\d\\]\\[${name}\\] from\\n {2}\\| stdin\\n$`));
    expect((await json(['list-chats'])).map(({ id }) => id)).toContain(group.id);
    await json(['send-message', group.id, 'with data', '--data', '{"order": 7}']);
    expect((await json(['history', group.id])).at(-1)).toMatchObject({ text: 'with data', data: { order: 7 } });
    expect(await chat(['send-message', group.id, 'x', '--data', '[7]'])).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--data must be a JSON object'),
    });

    expect(await chat(['delete-chat', group.id])).toMatchObject({ code: 0, output: `Deleted ${group.id}\n` });
    expect(await chat(['history', group.id])).toMatchObject({ code: 1, errors: 'error: there is no such chat\n' });
  });

  test('name chats by room or by user, and rooms are joined by that', async () => {
    await registered();
    const room = newName('room');
    const [created] = await json(['create-chat', '--room', room]);
    const guest = async (...args: string[]) => chat([...args, '--user', newName('guest'), '--json']);
    expect(JSON.parse((await guest('send-message', room, 'hi')).output)).toMatchObject({ chatId: created.id, seq: 3 });
    const direct = JSON.parse((await guest('send-message', '@frank', 'psst')).output);
    expect(direct).toMatchObject({ seq: 2 });
    expect(await guest('send-message', 'no-such-room', 'hi')).toMatchObject({
      code: 1,
      errors: 'error: there is no room no-such-room\n',
    });
  });

  test('follow a chat, from any number, until it has enough', async () => {
    await registered();
    const [{ id }] = await json(['create-chat', '--group', 'Follow']);
    await json(['send-message', id, 'before']);
    const follow = startChat(
      ...['connect-chat', id, '--after', '1', '--count', '2', '--json'],
      ...['--addr', service.address, '--session', session],
    );
    await follow.shows('before');
    await json(['send-message', id, 'live']);
    expect(await follow.exited).toBe(0);
    const lines = follow.output.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { seq: 2, text: 'before' },
      { seq: 3, text: 'live' },
    ]);
  });

  test('follow the changes of messages, those from before as well', async () => {
    await registered();
    const [{ id }] = await json(['create-chat', '--group', 'Follow changes']);
    const [first] = await json(['send-message', id, 'first']);
    const [second] = await json(['send-message', id, 'second']);
    const { accessToken } = JSON.parse(await readFile(session, 'utf8')).sessions[`grpc://${service.address}`];
    const { chat } = service.transport();
    const edit = (messageId: string, text: string) =>
      chat.editMessage({ chatId: id, messageId, text, clientChangeId: crypto.randomUUID() }, { token: accessToken });
    await edit(first.messageId, 'first, edited');
    const follow = startChat(
      ...['connect-chat', id, '--after', '2', '--count', '2', '--json'],
      ...['--addr', service.address, '--session', session],
    );
    await follow.shows('"second"');
    await edit(second.messageId, 'second, edited');
    await follow.shows('second, edited');
    await json(['send-message', id, 'third']);
    expect(await follow.exited).toBe(0);
    const lines = follow.output.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { seq: 2, updateSeq: 4, text: 'first, edited', event: 'message_changed' },
      { seq: 3, updateSeq: 3, text: 'second' },
      { seq: 3, updateSeq: 5, text: 'second, edited', event: 'message_changed' },
      { seq: 6, text: 'third' },
    ]);
  });

  test('that are interrupted while they follow a chat end with code 0', async () => {
    await registered();
    const follow = startChat('connect-chat', 'global', '--addr', service.address, '--session', session);
    await json(['send-message', 'global', 'are you there?']);
    // The message may have been sent before the script followed the chat.
    const again = setInterval(() => void chat(['send-message', 'global', 'are you there?']), 500);
    await follow.shows('are you there?').finally(() => clearInterval(again));
    follow.kill('SIGINT');
    expect(await follow.exited).toBe(0);
    expect(follow.errors).toBe('');
  });

  test('work over WebSocket and REST as well', async () => {
    const ws = ['--transport', 'ws', '--addr', service.url, '--session', session];
    const name = newName('wendy');
    expect(await runChat(['register', name, '--password-stdin', ...ws], { input: password })).toMatchObject({
      code: 0,
    });
    const sent = await runChat(['send-message', 'global', 'by REST', '--json', ...ws]);
    expect(JSON.parse(sent.output)).toMatchObject({ seq: expect.any(Number) });
    const follow = startChat('connect-chat', 'global', '--after', '0', '--count', '1', ...ws);
    expect(await follow.exited).toBe(0);
  });
});

describe('a session that has changed', () => {
  test('ends the conversation and the sub-commands when it was ended elsewhere', async () => {
    await registered();
    const talking = startChat('--addr', service.address, '--session', session);
    await talking.shows('Connected');
    const kept = JSON.parse(await readFile(session, 'utf8')).sessions[`grpc://${service.address}`];
    await service.transport().auth.logout({}, { token: kept.accessToken });
    expect(await talking.exited).toBe(4);
    expect(talking.errors).toMatch(/^error: not signed in/);
    expect(await chat(['list-chats'])).toMatchObject({ code: 4 });
  });

  test('does not change the user of a conversation that is under way', async () => {
    const first = await registered();
    const talking = startChat('--addr', service.address, '--session', session);
    await talking.shows(`as ${first}.`);
    const kept = JSON.parse(await readFile(session, 'utf8')).sessions[`grpc://${service.address}`];
    await registered(newName('other'));
    await service.transport().auth.logout({}, { token: kept.accessToken });
    expect(await talking.exited).toBe(4);
    expect(talking.errors).toMatch(/^error: another user has signed in meanwhile/);
  });

  test('is not sent in plain text because TLS was forgotten', async () => {
    await registered();
    const text = await readFile(session, 'utf8');
    await writeFile(session, text.replace('grpc://', 'grpcs://'));
    expect(await chat(['whoami'])).toMatchObject({ code: 4 });
  });
});

describe('what goes wrong', () => {
  test('is not hidden by an interruption', async () => {
    await registered();
    const sending = startChat('send-message', 'global', '-', '--addr', service.address, '--session', session);
    await sending.readsInput();
    sending.kill('SIGINT');
    expect(await sending.exited).toBe(130);
  });

  test('includes a missing direct chat, which looking for it does not create', async () => {
    await registered();
    expect(await chat(['history', '@nobody'])).toMatchObject({
      code: 1,
      errors: 'error: there is no direct chat with nobody\n',
    });
    expect(await json(['list-chats'])).toEqual([]);
  });

  test('gives an exit code and a line on standard error', async () => {
    const free = ['--addr', '127.0.0.1:1', '--session', session];
    const unreachable = await runChat(['login', 'x', '--password-stdin', ...free], { input: password });
    expect(unreachable).toMatchObject({ code: 3, output: '', errors: expect.stringMatching(/^error: .*\n$/) });

    expect(await chat(['login', newName('nobody'), '--password-stdin'], password)).toMatchObject({ code: 1 });
    expect(await chat(['register', newName('weak'), '--password-stdin'], 'password')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^error: password .*\n$/),
    });
    expect(await chat(['send-message', 'global', 'x'])).toMatchObject({ code: 4 });
    for (const args of [
      ['login'],
      ['login', 'x'],
      ['create-chat', 'a', 'b', '--user', 'g'],
      ['create-chat', '--group', 'a', '--room', 'b', '--user', 'g'],
      ['send-message', 'global', '', '--user', 'g'],
      ['history', 'global', 'many', '--user', 'g'],
      ['connect-chat', 'global', '--after', 'x', '--user', 'g'],
      ['whoami', '--nope'],
    ]) {
      const { code, errors } = await chat(args);
      expect([args, code, errors]).toEqual([args, 2, expect.stringMatching(/^error: /)]);
    }
  });
});
