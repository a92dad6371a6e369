import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { ChatType } from '../../pkg/chat-client/index.ts';
import { type ChatProcess, startChat, stopChats } from './testing/chat-process.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterEach(stopChats);
afterAll(() => service.stop());

/** A person who is in the room already. */
async function join(user: string, ...args: string[]): Promise<ChatProcess> {
  const chat = startChat('--user', user, '--addr', service.address, ...args);
  await chat.shows('[System] Joined room: ');
  return chat;
}

async function say(chat: ChatProcess, line: string, answer: string | RegExp): Promise<void> {
  chat.type(`${line}\n`);
  await chat.shows(answer);
}

function timesShown(chat: ChatProcess, text: string): number {
  return chat.output.split(text).length - 1;
}

describe('two people', () => {
  test('talk in the global room', async () => {
    const alice = await join('alice');
    const bob = await join('bob');
    await alice.shows('[System] bob joined #global\n');

    await say(alice, 'Hey team!', '[Sent to global] Hey team!\n');
    await bob.shows('[alice] Hey team!\n');
    await say(bob, '//shrug', '[Sent to global] /shrug\n');
    await alice.shows('[bob] /shrug\n');

    expect(bob.output).toMatch(/^\[\d\d:\d\d:\d\d\]\[alice\] Hey team!$/m);
    expect(bob.output).not.toContain('bob joined');
    expect(alice.output).not.toContain('[alice]');
  });

  test('see where a message comes from when they are elsewhere', async () => {
    const carol = await join('carol');
    const dave = await join('dave');
    await say(carol, '/join development', '[System] Joined room: development\n');
    await say(dave, '/join development', '[System] Joined room: development\n');
    await carol.shows('[System] dave joined #development\n');
    await say(dave, '/users development', '[System] Users in development: carol, dave\n');
    await say(carol, 'in development', '[Sent to development] in development\n');
    await dave.shows('[carol] in development\n');

    await say(dave, '/leave', '[System] Returned to global chat\n');
    await carol.shows('[System] dave left #development\n');
    await say(dave, 'in global', '[Sent to global] in global\n');
    await carol.shows('[#global][dave] in global\n');

    await say(carol, '/dm dave', '[System] Now talking to @dave; /leave returns to global\n');
    await say(carol, 'psst', '[Sent to @dave] psst\n');
    await dave.shows('[System] carol started a direct chat with you\n');
    await dave.shows('[@carol] psst\n');
    await say(carol, '/leave', '[System] Returned to global chat\n');
    await say(carol, '/leave', '[System] You cannot leave global; /exit ends the program\n');
    expect(carol.output).not.toContain('is not online');
  });
});

describe('a message that was sent', () => {
  test('is edited and deleted by its sender, and the others see the change', async () => {
    const alice = await join('anne', '--room', 'changes');
    const bob = await join('ben', '--room', 'changes');
    await say(alice, '/delete', '[System] There is no message of yours in #changes; /history shows the numbers\n');
    await say(alice, 'helo', '[Sent to changes] helo\n');
    await say(alice, 'a secret', '[Sent to changes] a secret\n');
    await bob.shows('[anne] a secret\n');
    await say(alice, '/delete', '[Deleted in changes] a secret\n');
    await bob.shows(/\[Deleted: \d\d:\d\d:\d\d\]\[anne\]\n/);
    await say(alice, '/edit  hello,  all', '[Edited in changes] hello,  all\n');
    await bob.shows(/\[Edited: \d\d:\d\d:\d\d\]\[anne\] hello, {2}all\n/);
    await say(alice, '/history', /#4 \[\d\d:\d\d:\d\d\]\[anne\] \(deleted\)\n/);
    expect(alice.output).toMatch(/^#3 \[.*\]\[anne\] hello, {2}all \(edited\)$/m);
    await say(alice, 'that is all', '[Sent to changes] that is all\n');
    await bob.shows('[anne] that is all\n');
    expect(alice.output).not.toContain('[Edited: ');
    expect(timesShown(bob, '[anne] hello')).toBe(1);
  });

  test('is replied to, and gets a thread', async () => {
    const alice = await join('ada', '--room', 'threads');
    const bob = await join('bo', '--room', 'threads');
    await say(bob, '/reply last me too', '[System] There is no message in #threads; /history shows the numbers\n');
    await say(alice, 'Shall we go?', '[Sent to threads] Shall we go?\n');
    await bob.shows('[ada] Shall we go?\n');
    await say(bob, '/reply last yes', '[Sent to threads] (to ada: Shall we go?) yes\n');
    await alice.shows('[bo] (to ada: Shall we go?) yes\n');
    const seq = 3;
    await say(alice, `/thread #${seq} when?`, '[Sent to threads] when?\n');
    await bob.shows('[ada] (in a thread) when?\n');
    await say(bob, '/reply last at noon', '[Sent to threads] (to ada: when?) at noon\n');
    await say(alice, `/thread ${seq}`, `[System] The thread of #${seq} has 2 messages\n`);
    await alice.shows(/#6 \[.*\]\[bo\] \(to ada: when\?\) at noon\n/);
    expect(alice.output).toMatch(/has 2 messages\n#3 .*Shall we go\?\n#5 .*\[ada\] when\?\n#6 /);
    await say(alice, `/delete #${seq}`, '[Deleted in threads] Shall we go?\n');
    await bob.shows(/\[Deleted: .*\]\[ada\]\n/);
    await say(bob, '/history 4', '(to a deleted message) yes\n');
  });

  test('is reacted to, and the reaction is taken back', async () => {
    const alice = await join('rea', '--room', 'reactions');
    const bob = await join('rob', '--room', 'reactions');
    await say(alice, 'Shall we go?', '[Sent to reactions] Shall we go?\n');
    await bob.shows('[rea] Shall we go?\n');
    await say(bob, '/react last 👍', '[System] You reacted with 👍 to #3\n');
    await alice.shows('[System] rob reacted with 👍 to #3\n');
    await say(bob, '/react #3 👍', '[System] You took 👍 back from #3\n');
    await alice.shows('[System] rob took 👍 back from #3\n');
    await say(bob, '/react last nice', /emoji must be one emoji/);
  });

  test('is changed by its number; only its sender edits it, and moderators delete it', async () => {
    const owner = await join('olga', '--room', 'moderated');
    const guest = await join('gus', '--room', 'moderated');
    await say(guest, 'spam', '[Sent to moderated] spam\n');
    await owner.shows('[gus] spam\n');
    await say(owner, '/edit #3 better', '[System] /edit failed: you may not change the messages of others');
    await say(guest, '/delete #1', '[System] There is no message #1 in #moderated; /history shows the numbers\n');
    await say(owner, '/delete #3', '[Deleted in moderated] spam\n');
    await guest.shows(/\[Deleted: \d\d:\d\d:\d\d\]\[gus\]\n/);
    await say(guest, '/edit again', '[System] There is no message of yours in #moderated');
  });

  test('changes elsewhere are not shown and raise nothing unread', async () => {
    const writer = await service.client('walt');
    const { id } = await writer.joinRoom('elsewhere');
    const reader = await join('rita', '--room', 'elsewhere');
    const { messageId } = await writer.send(id, 'one');
    await reader.shows('[walt] one\n');
    await say(reader, '/join here', '[System] Joined room: here\n');
    await writer.edit(id, messageId, 'two');
    await writer.send(id, 'three');
    await reader.shows('[#elsewhere][walt] three\n');
    expect(reader.output).not.toContain('two');
  });
});

test('a direct message waits for a user who is offline', async () => {
  const erin = await join('erin');
  await say(erin, '/dm frank', '[System] frank is not online and will see it later\n');
  await say(erin, 'call me', '[Sent to @frank] call me\n');

  const frank = await join('frank');
  await say(frank, '/dm erin', '[System] Now talking to @erin');
  await say(frank, '/history', '[erin] call me\n');
});

test('the commands answer with results or with their usage', async () => {
  const gina = await join('gina');
  await say(gina, '/join Zoo_1', '[System] Joined room: Zoo_1\n');
  await say(gina, '/users', 'gina');
  await say(gina, '/rooms zO', '[System] Rooms with "zO": Zoo_1\n');
  await say(gina, '/rooms nowhere-at-all', '[System] Rooms with "nowhere-at-all": none\n');
  await say(gina, '/users nowhere', '[System] There is no room nowhere\n');
  await say(gina, '/history', '[System] You created #Zoo_1\n');
  for (const text of ['one', 'two', 'three']) await say(gina, text, `[Sent to Zoo_1] ${text}`);
  await say(gina, '/history 2', '[System] The last 2 in #Zoo_1:\n');
  await gina.shows('[gina] three\n');
  expect(gina.output).not.toContain('[gina] one\n');
  await say(gina, '/foo', '[System] Unknown command: /foo. Type /help.\n');
  await say(gina, '/join', '[System] Usage: /join <room>\n');
  await say(gina, '/join a/b', '[System] /join failed: name must consist of letters, digits');
  await say(gina, '/dm gina', '[System] That is you\n');
  await say(gina, '/help', '  /history [n] ');
});

test('history goes further back than one page of the service', async () => {
  const writer = await service.client('writer');
  const { id } = await writer.joinRoom('long');
  for (let i = 1; i <= 60; i++) await writer.send(id, `line ${i}`);
  const reader = await join('reader', '--room', 'long');
  await say(reader, '/history 61', '[writer] line 60\n');
  expect(reader.output).toContain('[System] The last 61 in #long:\n');
  expect(timesShown(reader, '[writer] line ')).toBe(60);
});

test('lines that a program writes for a room that it was removed from are not sent to another', async () => {
  const owner = await service.client('owner');
  const guarded = await owner.joinRoom('guarded');
  const henry = await join('henry', '--room', 'guarded');
  await owner.call('removeMember', { chatId: guarded.id, userId: 'guest:henry' });
  await henry.shows('[System] You were removed from #guarded\n');
  await say(henry, 'secret', '[System] Not sent: you are in no room; /join one\n  | secret\n');
  await say(henry, '/leave', '[System] Returned to global chat\n');
  await say(henry, 'hello', '[Sent to global] hello\n');
});

test('groups and their members are shown by name', async () => {
  const ida = await join('ida');
  const host = await service.client('host');
  const { chat } = await host.call('createChat', { type: ChatType.GROUP, name: 'Lunch', memberIds: ['guest:ida'] });
  await host.send(chat!.id, 'pizza?');
  await ida.shows('["Lunch"][host] pizza?\n');
  await host.call('addMembers', { chatId: chat!.id, userIds: ['guest:bob'] });
  await ida.shows('[System] host added bob to "Lunch"\n');
  expect(ida.output).toContain('[System] host created "Lunch"\n');
  await host.updateChat(chat!.id, { name: 'Dinner' });
  await host.send(chat!.id, 'soup?');
  await ida.shows('["Dinner"][host] soup?\n');
  expect(ida.output).toContain('[System] host named "Lunch" "Dinner"\n');
});

test('control codes of others are removed', async () => {
  const jack = await join('jack');
  const mallory = await service.client('mallory');
  const { id } = await mallory.joinRoom('global');
  await mallory.send(id, '\x1b[2J\x1b]0;owned\x07evil\u202e\n[System] jack left #global\r\x9b1A');
  await jack.shows('[mallory] evil\n  | [System] jack left #global\n  | \ufffd1A\n');
  expect(jack.output).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

describe('input from a pipe', () => {
  test('is sent line by line, in order, acknowledged, and ends the program', async () => {
    const listener = await join('listener', '--room', 'piped');
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    const chat = startChat('--user', 'kim', '--addr', service.address, '--room', 'piped');
    chat.type(lines.join('\n'));
    chat.end();
    expect(await chat.exited).toBe(0);
    expect(chat.output.match(/^\[Sent to piped\] .*$/gm)).toEqual(lines.map((line) => `[Sent to piped] ${line}`));
    await listener.shows('line 49\n');
    expect(listener.output.match(/(?<=\[kim\] ).*$/gm)).toEqual(lines);
  });

  test('ends at /exit, after what came before it', async () => {
    const chat = startChat('--user', 'lea', '--addr', service.address);
    chat.type('before\n/exit\nafter\n');
    expect(await chat.exited).toBe(0);
    expect(chat.output).toContain('[Sent to global] before\n');
    expect(chat.output).not.toContain('after');
  });

  test('that could not be sent makes the exit code 1', async () => {
    const chat = startChat('--user', 'mia', '--addr', service.address);
    chat.type(`${'x'.repeat(4_001)}\nshort\n`);
    chat.end();
    expect(await chat.exited).toBe(1);
    expect(chat.output).toContain('[System] Not sent: text must have at most 4000 characters\n');
    expect(chat.output).toContain('[Sent to global] short\n');
  });

  test('for a room that could not be entered is not sent to another', async () => {
    const chat = startChat('--user', 'nora', '--addr', service.address);
    chat.type('/join not/a/room\nsecret\n');
    chat.end();
    expect(await chat.exited).toBe(1);
    expect(chat.output).toContain('[System] Not sent: you are in no room; /join one\n');
    expect(chat.output).not.toContain('[Sent to');
  });

  test('may end at once', async () => {
    const chat = startChat('--user', 'otto', '--addr', service.address);
    chat.end();
    expect(await chat.exited).toBe(0);
  });
});

describe('the program', () => {
  test('refuses a bad name as the service does', async () => {
    const chat = startChat('--user', 'two words', '--addr', service.address);
    chat.end();
    expect(await chat.exited).toBe(1);
    expect(chat.errors).toBe(
      'error: name must consist of letters, digits, "_", "-" and ".", and start with a letter or digit\n',
    );
  });

  test('answers a faulty command line with its usage', async () => {
    const chat = startChat('--nope');
    expect(await chat.exited).toBe(2);
    expect(chat.errors).toMatch(/^error: unknown option '--nope'\n\nUsage: chat /);
  });

  test('does not ask a pipe for a name', async () => {
    const chat = startChat('--addr', service.address);
    expect(await chat.exited).toBe(2);
    expect(chat.errors).toContain('--user NAME');
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends cleanly at %s', async (signal) => {
    const chat = await join(`paul-${signal}`);
    chat.kill(signal);
    expect(await chat.exited).toBe(0);
    expect(chat.errors).toBe('');
  });

  test('ends quietly when its output is closed', async () => {
    const quinn = await join('quinn', '--room', 'unread');
    const writer = await service.client('unread-writer');
    const { id } = await writer.joinRoom('unread');
    quinn.stopReading();
    await eventually(async () => {
      await writer.send(id, 'is anybody there?');
      expect(await Promise.race([quinn.exited, 'running'])).toBe(0);
    });
    expect(quinn.errors).toBe('');
  });
});

describe('when the service is away', () => {
  test('the program waits for it, then sends what was typed', async () => {
    const first = await startTestService();
    await first.stop();
    const chat = startChat('--user', 'alice', '--addr', first.address);
    chat.type('early\n');
    await chat.shows(`[System] No connection to ${first.address}: connection refused; trying again\n`);
    const second = await startTestService({ GRPC_PORT: String(first.app.grpcPort) }, { dsn: first.dsn });
    await chat.shows('[Sent to global] early\n');
    expect(timesShown(chat, 'No connection')).toBe(1);
    chat.end();
    expect(await chat.exited).toBe(0);
    await second.stop();
  });

  test('the program can be ended at once, and lists what was not sent', async () => {
    const gone = await startTestService();
    await gone.stop();
    const chat = startChat('--user', 'alice', '--addr', gone.address);
    chat.type('never\n');
    await chat.shows('No connection');
    chat.kill('SIGTERM');
    expect(await chat.exited).toBe(1);
    expect(chat.output).toContain('[System] 1 message was not sent\n');
  });

  test('for a moment, nothing is lost and nothing arrives twice', async () => {
    const first = await startTestService();
    const [alice, bob] = ['alice', 'bob'].map((user) => startChat('--user', user, '--addr', first.address));
    await Promise.all([alice!.shows('Joined room'), bob!.shows('Joined room')]);
    await say(alice!, 'before', '[Sent to global] before\n');
    await bob!.shows('[alice] before\n');

    await first.stop();
    await Promise.all([alice!, bob!].map((chat) => chat.shows('[System] Connection lost: ')));
    alice!.type('meanwhile 1\nmeanwhile 2\n');
    const second = await startTestService({ GRPC_PORT: String(first.app.grpcPort) }, { dsn: first.dsn });
    // Typed before both are connected again.
    const carol = await second.client('carol');
    await carol.send((await carol.joinRoom('global')).id, 'I am new');

    await Promise.all([alice!, bob!].map((chat) => chat.shows('[System] Connected again\n')));
    await alice!.shows('[Sent to global] meanwhile 2\n');
    await say(alice!, 'after', '[Sent to global] after\n');
    for (const text of [
      '[alice] before',
      '[alice] meanwhile 1',
      '[alice] meanwhile 2',
      '[carol] I am new',
      '[alice] after',
    ]) {
      await bob!.shows(`${text}\n`);
      expect(timesShown(bob!, `${text}\n`)).toBe(1);
    }
    await alice!.shows('[carol] I am new\n');
    expect(timesShown(alice!, '[carol] I am new\n')).toBe(1);
    expect(timesShown(alice!, 'Connection lost')).toBe(1);
    expect(bob!.output.indexOf('meanwhile 1')).toBeLessThan(bob!.output.indexOf('meanwhile 2'));
    await second.stop();
  });
});
