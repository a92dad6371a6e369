import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../../internal/testing/services/test-service.ts';
import type { ChatClient } from '../../../pkg/chat-client/index.ts';
import { startChatInTerminal, stopChats } from '../testing/chat-process.ts';

type Terminal = ReturnType<typeof startChatInTerminal>;

const up = '\x1b[A';
const left = '\x1b[D';
const home = '\x1b[H';

let service: TestService;
let bob: ChatClient;
let roomId: string;
beforeAll(async () => {
  service = await startTestService();
  bob = await service.client('bob');
  roomId = (await bob.joinRoom('global')).id;
});
afterEach(stopChats);
afterAll(() => service.stop());

async function open(user: string, size: { columns?: number; rows?: number } = {}): Promise<Terminal> {
  const chat = startChatInTerminal(size, '--user', user, '--addr', service.address);
  await at(chat, '#global> ');
  return chat;
}

/** Resolves when that is left of the cursor. */
async function at(chat: Terminal, beforeCursor: string): Promise<void> {
  await eventually(() => expect(chat.terminal.beforeCursor).toBe(beforeCursor));
}

/** The newest lines that are not empty. */
function newest(chat: Terminal, count: number): string[] {
  return chat.terminal.lines.filter((line) => line !== '').slice(-count);
}

describe('while a line is being typed', () => {
  test('a message appears above it, and it can be finished and sent', async () => {
    const alice = await open('alice');
    alice.type('half ty');
    await at(alice, '#global> half ty');
    await bob.send(roomId, 'excuse me');
    await eventually(() =>
      expect(newest(alice, 2)).toEqual([expect.stringMatching(/\[bob\] excuse me$/), '#global> half ty']),
    );
    await at(alice, '#global> half ty');
    alice.type('ped\r');
    await alice.shows('[Sent to global] half typed');
    await at(alice, '#global> ');
    expect(newest(alice, 2)).toEqual(['[Sent to global] half typed', '#global>']);
  });

  test('it may go over several rows, and the cursor may be anywhere in it', async () => {
    const carol = await open('carol', { columns: 40 });
    carol.type(`${'abcdefghij'.repeat(8)}!${left.repeat(25)}`);
    const rows = ['#global> abcdefghijabcdefghijabcdefghija', 'bcdefghijabcdefghijabcdefghijabcdefghija', 'bcdefghij!'];
    await eventually(() => expect(newest(carol, 3)).toEqual(rows));
    const before = carol.terminal.lines.indexOf(rows[0]!);
    await bob.send(roomId, 'one');
    await bob.send(roomId, 'two, which is longer than a row of forty columns');
    await eventually(() =>
      expect(newest(carol, 5).slice(0, 2)).toEqual([expect.stringMatching(/\[bob\] two, which/), expect.any(String)]),
    );
    expect(newest(carol, 3)).toEqual(rows);
    expect(carol.terminal.lines.indexOf(rows[0]!)).toBe(before + 3);
    expect(carol.terminal.beforeCursor).toBe('bcdefghijabcdefghijabcdef');
    carol.type('<here>\r');
    await at(carol, '#global> ');
    await carol.shows('[Sent to global]');
    const sent = carol.terminal.lines.join('').split('[Sent to global] ')[1];
    expect(sent).toMatch(/^(abcdefghij){5}abcdef<here>ghijabcdefghijabcdefghij!#global>$/);
  });

  test('it may fill a row exactly', async () => {
    const dora = await open('dora', { columns: 40 });
    dora.type('x'.repeat(31));
    await at(dora, '');
    await bob.send(roomId, 'at the edge');
    await eventually(() =>
      expect(newest(dora, 2)).toEqual([expect.stringMatching(/\[bob\] at the edge$/), `#global> ${'x'.repeat(31)}`]),
    );
    await at(dora, '');
    dora.type('y\r');
    await dora.shows(`[Sent to global] ${'x'.repeat(31)}y`);
    await at(dora, '#global> ');
    expect(newest(dora, 4)[0]).toMatch(/\[bob\] at the edge$/);
  });

  test('it may have wide characters', async () => {
    const emi = await open('emi', { columns: 40 });
    emi.type('日本語のとても長いメッセージをここに書く');
    const rows = ['#global> 日本語のとても長いメッセージを', 'ここに書く'];
    await eventually(() => expect(newest(emi, 2)).toEqual(rows));
    await bob.send(roomId, '折り返し');
    await eventually(() => expect(newest(emi, 3)).toEqual([expect.stringMatching(/\[bob\] 折り返し$/), ...rows]));
    await at(emi, 'ここに書く');
  });

  test('control codes in a message do not reach the terminal', async () => {
    const fay = await open('fay');
    fay.type('still here');
    await at(fay, '#global> still here');
    await bob.send(roomId, '\x1b[2J\x1b[H\x1b]0;owned\x07\x1bc\x9b2Jhello\x08\r\n[System] fay left #global');
    await eventually(() =>
      expect(newest(fay, 3)).toEqual([
        expect.stringMatching(/\[bob\] \ufffd2Jhello\ufffd$/),
        '  | [System] fay left #global',
        '#global> still here',
      ]),
    );
    await at(fay, '#global> still here');
  });
});

test('a sent message replaces the typed line; typed commands stay', async () => {
  const gus = await open('gus', { columns: 40 });
  gus.type(`${'long '.repeat(20)}end${home}\r`);
  await at(gus, '#global> ');
  await gus.shows('[Sent to global]');
  gus.type('/users global\r');
  await gus.shows('[System] Users in global: ');
  await at(gus, '#global> ');
  const screen = gus.terminal.lines.join('\n');
  expect(screen).not.toContain('#global> long');
  expect(screen).toContain('end\n#global> /users global\n[System] Users in global: ');
});

test('several lines at once are several messages, in order', async () => {
  const hal = await open('hal');
  hal.type('one\rtwo\r\nthree\nfour');
  await at(hal, '#global> four');
  await hal.shows('[Sent to global] three');
  await at(hal, '#global> four');
  expect(newest(hal, 4)).toEqual([
    '[Sent to global] one',
    '[Sent to global] two',
    '[Sent to global] three',
    '#global> four',
  ]);
});

test('earlier lines can be recalled, and commands are completed', async () => {
  const ivy = await open('ivy');
  ivy.type('again\r');
  await ivy.shows('[Sent to global] again');
  ivy.type(`${up}${home}once `);
  await at(ivy, '#global> once ');
  ivy.type('\r');
  await ivy.shows('[Sent to global] once again');
  ivy.type('/hist\t');
  await at(ivy, '#global> /history ');
});

test('the prompt shows where a line will go, and whether there is a connection', async () => {
  const own = await startTestService();
  const jim = startChatInTerminal({}, '--user', 'jim', '--addr', own.address);
  await at(jim, '#global> ');
  jim.type('/join development\r');
  await at(jim, '#development> ');
  jim.type('/dm kate\r');
  await at(jim, '@kate> ');
  jim.type('/leave\r');
  await at(jim, '#global> ');
  jim.type('half ty');
  await at(jim, '#global> half ty');

  await own.stop();
  await at(jim, '#global (offline)> half ty');
  jim.type('ped\r/users\rsecond\r');
  await jim.shows('[System] Not connected: /users has to wait for the service');
  expect(jim.output.match(/Not connected: what you write is sent/g)).toHaveLength(1);

  const again = await startTestService({ GRPC_PORT: String(own.app.grpcPort) }, { dsn: own.dsn });
  await jim.shows('[Sent to global] second');
  await at(jim, '#global> ');
  expect(newest(jim, 4)).toEqual([
    '[System] Connected again',
    '[Sent to global] half typed',
    '[Sent to global] second',
    '#global>',
  ]);
  await again.stop();
});

test('a user who is removed from a room is in global again, but lines typed for the room are not sent there', async () => {
  const own = await startTestService();
  const owner = await own.client('owner');
  const guarded = await owner.joinRoom('guarded');
  const kit = startChatInTerminal({}, '--user', 'kit', '--addr', own.address, '--room', 'guarded');
  await at(kit, '#guarded> ');
  await own.stop();
  await at(kit, '#guarded (offline)> ');
  kit.type('secret\rsecret too\r');
  await kit.shows('Not connected: what you write is sent');

  const elsewhere = await startTestService({}, { dsn: own.dsn });
  const owner2 = await elsewhere.client('owner');
  await owner2.call('removeMember', { chatId: guarded.id, userId: 'guest:kit' });
  const again = await startTestService({ GRPC_PORT: String(own.app.grpcPort) }, { dsn: own.dsn });
  await at(kit, '#global> ');
  await eventually(() => expect(kit.output.match(/\[System\] Not sent: .*\r\n {2}\| secret/g)).toHaveLength(2));
  expect(kit.output).toContain('[System] You are no longer in #guarded\r\n');
  kit.type('hello\r');
  await kit.shows('[Sent to global] hello');
  expect(kit.output).not.toContain('[Sent to global] secret');
  await Promise.all([elsewhere.stop(), again.stop()]);
});

test('there are colours unless NO_COLOR is set', async () => {
  const start = (user: string, NO_COLOR: string) =>
    startChatInTerminal({ env: { NO_COLOR } }, '--user', user, '--addr', service.address);
  // Of two clients of one user only the first joins the room.
  const [plain, coloured] = [start('nel', '1'), start('mel', '')];
  await Promise.all([at(plain, '#global> '), at(coloured, '#global> ')]);
  expect(plain.output).not.toMatch(/\x1b\[\d+m/);
  expect(coloured.output).toContain('\x1b[2m[System] Joined room: global\x1b[22m');
});

test('the name is asked for if it was not given', async () => {
  const chat = startChatInTerminal({}, '--addr', service.address);
  await at(chat, 'Your name: ');
  chat.type('\r');
  await eventually(() => expect(chat.terminal.lines.filter((line) => line === 'Your name:')).toHaveLength(2));
  chat.type('liz\rtyped ahead\r');
  await chat.shows('[Sent to global] typed ahead');
  expect(chat.output).toContain('as liz.');
});

describe('the program ends with code 0 and restores the terminal', () => {
  test.each([
    ['at Ctrl-C', '\x03'],
    ['at Ctrl-D', '\x04'],
    ['at /exit', '/exit\r'],
    ['at Ctrl-C in the middle of a line', 'half ty\x03'],
  ])('%s', async (_what, keys) => {
    const chat = startChatInTerminal({ afterwards: 'stty -a' }, '--user', 'max', '--addr', service.address);
    await at(chat, '#global> ');
    chat.type(keys);
    expect(await chat.exited).toBe(0);
    expect(chat.output).toMatch(/ icanon\b/);
    expect(chat.output).toMatch(/ echo\b/);
  });

  test('also while the service is away, and lists what was not sent', async () => {
    const gone = await startTestService();
    const chat = startChatInTerminal({}, '--user', 'max', '--addr', gone.address);
    await at(chat, '#global> ');
    await gone.stop();
    await at(chat, '#global (offline)> ');
    chat.type('one\rtwo\r\x03');
    expect(await chat.exited).toBe(0);
    expect(newest(chat, 1)).toEqual(['[System] 2 messages were not sent']);
  });

  test('also while it waits for a service that does not answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const chat = startChatInTerminal({}, '--user', 'max', '--addr', `127.0.0.1:${port}`);
    await at(chat, '(connecting)> ');
    chat.type('\x03');
    await eventually(async () => expect(await Promise.race([chat.exited, 'running'])).toBe(0));
    silent.close();
  });

  test('also at the question for the name', async () => {
    const chat = startChatInTerminal({}, '--addr', service.address);
    await at(chat, 'Your name: ');
    chat.type('\x03');
    expect(await chat.exited).toBe(0);
  });
});
