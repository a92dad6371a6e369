import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import type { ChatClient } from '../../pkg/chat-client/index.ts';
import { startChatInTerminal, stopChats } from './testing/chat-process.ts';

type Terminal = ReturnType<typeof startChatInTerminal>;

let service: TestService;
let bob: ChatClient;
beforeAll(async () => {
  service = await startTestService();
  bob = await service.client('bob');
});
afterEach(stopChats);
afterAll(() => service.stop());

let lastName = 0;

async function open(size: { columns?: number; rows?: number; env?: Record<string, string> } = {}) {
  lastName += 1;
  const name = `user${lastName}`;
  const chat = startChatInTerminal(size, '--user', name, '--addr', service.address);
  await at(chat, '#global> ');
  return Object.assign(chat, { name });
}

/** Resolves when that is left of the cursor. */
async function at(chat: Terminal, beforeCursor: string): Promise<void> {
  await eventually(() => expect(chat.terminal.beforeCursor).toBe(beforeCursor));
}

describe('a user at the terminal', () => {
  test('sees who is typing, until they have written', async () => {
    const alice = await open();
    const { id } = await bob.joinRoom('global');
    bob.typing(id);
    await at(alice, '#global (bob is typing)> ');
    await bob.send(id, 'there you go');
    await alice.shows('[bob] there you go');
    await at(alice, '#global> ');
  });

  test('tells others that they are typing, but not while typing a command', async () => {
    const alice = await open();
    const told: (string | undefined)[] = [];
    bob.on('typing', ({ user }) => told.push(user?.name));
    alice.type('/users');
    await at(alice, '#global> /users');
    alice.type('\r');
    await alice.shows('Users online');
    expect(told).toEqual([]);
    alice.type('h');
    await eventually(() => expect(told).toEqual([alice.name]));
  });

  test('sees unread messages of other chats, and on entering a chat has read them on every device', async () => {
    const alice = await open();
    const direct = await bob.openDirect(`guest:${alice.name}`);
    await bob.send(direct.id, 'psst');
    await bob.send(direct.id, 'are you there?');
    await at(alice, '#global (2 unread)> ');
    alice.type('/chats\r');
    await alice.shows('@bob (2 unread)');
    const [, number] = /(\d+) {2}@bob/.exec(alice.output)!;

    alice.type(`/switch ${number}\r`);

    await at(alice, '@bob> ');
    await bob.send(direct.id, 'good');
    await alice.shows('[@bob] good'.replace('@', ''));
    const phone = await service.client(alice.name);
    await eventually(async () => {
      const { chat } = await phone.call('getChat', { chatId: direct.id });
      expect(chat).toMatchObject({ unreadCount: 0, readSeq: 4 });
    });
  });

  test('is mentioned by name, marks messages as unread, and mutes a chat', async () => {
    const alice = await open();
    lastName += 1;
    const name = `place${lastName}`;
    const room = await bob.joinRoom(name);
    alice.type(`/join ${name}\r`);
    await at(alice, `#${name}> `);
    const heard: (string | undefined)[] = [];
    bob.on('message', ({ mentions }) => heard.push(...mentions.map(({ userId }) => userId)));
    alice.type('hey @bob, look\r');
    await eventually(() => expect(heard).toEqual(['guest:bob']));

    const mentions = [{ userId: `guest:${alice.name}`, everyone: false, offset: 3, length: alice.name.length + 1 }];
    await bob.send(room.id, `hi @${alice.name}`, { mentions });
    await alice.shows(`[bob] hi @${alice.name}`);
    alice.type('/mentions\r');
    await alice.shows('[System] You were mentioned:');

    alice.type('/unread\r');
    await alice.shows(`[System] 1 unread in #${name}, until you go there again`);
    await at(alice, `#${name} (1 unread)> `);
    await bob.send(room.id, 'and one more');
    await at(alice, `#${name} (2 unread)> `);
    alice.type(`/switch #${name}\r`);
    await at(alice, `#${name}> `);

    alice.type('/mute 2\r');
    await alice.shows(`[System] #${name} is muted until`);
    alice.type('/switch #global\r');
    await at(alice, '#global> ');
    await bob.send(room.id, 'not told');
    await bob.send(room.id, `@${alice.name} told`, { mentions: mentions.map((one) => ({ ...one, offset: 0 })) });
    await at(alice, '#global (1 unread)> ');
    alice.type('/chats\r');
    await alice.shows(`#${name} (2 unread, 1 mention, muted)`);
  });

  test('sees what arrived while offline', async () => {
    lastName += 1;
    const name = `away${lastName}`;
    const direct = await bob.openDirect(`guest:${name}`);
    await bob.send(direct.id, 'call me');
    const alice = startChatInTerminal({}, '--user', name, '--addr', service.address);
    await alice.shows('[System] Unread: @bob 1; /switch <chat> goes there');
    await at(alice, '#global (1 unread)> ');
    alice.type('/switch @bob\r');
    await alice.shows('[System] Now in @bob');
    await alice.shows('[bob] call me');
    alice.type('/members\r');
    await alice.shows(`[System] Members of @bob: ${name} (owner), bob (owner)`);
    alice.type('/whoami\r');
    await alice.shows(`[System] You are ${name} (guest:${name})`);
    alice.type('/switch nowhere\r');
    await alice.shows('[System] You are in no chat nowhere; /chats lists them');
  });

  test('sees when the other user of a direct chat goes offline and online', async () => {
    const alice = await open();
    alice.type('/dm dora\r');
    await alice.shows('Now talking to @dora');
    const dora = await service.client('dora');
    await alice.shows('[System] dora is online');
    await dora.close();
    await alice.shows('[System] dora is offline');
  });
});

describe('the tab key completes', () => {
  test('commands, rooms, users, chats, and a name in a message', async () => {
    await bob.joinRoom('development');
    const alice = await open();
    alice.type('/hi\t');
    await at(alice, '#global> /history ');
    alice.type('\x15/join dev\t');
    await at(alice, '#global> /join development');
    alice.type('\r');
    await at(alice, '#development> ');
    alice.type('/dm bo\t');
    await at(alice, '#development> /dm bob');
    alice.type('\x15/switch #gl\t');
    await at(alice, '#development> /switch #global');
    alice.type('\x15hello @bo\t');
    await at(alice, '#development> hello @bob ');
    alice.type('\x15nothing\t here');
    await at(alice, '#development> nothing here');
  });
});

describe('a narrow window', () => {
  test.each([40, 20])('of %i columns keeps the typed line intact when messages arrive', async (columns) => {
    const alice = await open({ columns, rows: 10 });
    const { id } = await bob.joinRoom('global');
    const typed = 'a line that is longer than the window is wide';
    alice.type(typed);
    const shown = () => alice.terminal.lines.join('').replaceAll(' ', '');
    await eventually(() => expect(shown()).toContain(`#global>${typed}`.replaceAll(' ', '')));
    await bob.send(id, '漢字 🎉 and more than fits in one row of it');
    await eventually(() => expect(shown()).toContain('fitsinonerowofit'));
    await eventually(() => expect(shown().endsWith(`#global>${typed}`.replaceAll(' ', ''))).toBe(true));
    alice.type('\r');
    await alice.shows(`[Sent to global] ${typed}`);
    await at(alice, '#global> ');
  });
});

test('there are no colours where they are not wanted', async () => {
  const plain = await open();
  const { id } = await bob.joinRoom('global');
  await bob.send(id, 'colourless');
  await plain.shows('[bob] colourless');
  const coloured = startChatInTerminal(
    { env: { NO_COLOR: '', TERM: 'xterm-256color' } },
    ...['--user', 'colour', '--addr', service.address],
  );
  await coloured.shows('Joined room: global');
  await bob.send(id, 'colourful');
  await eventually(() => expect(coloured.output).toMatch(/\x1b\[1;3\dm\[bob\]\x1b\[22;39m colourful/));
  expect(plain.output).not.toMatch(/\x1b\[[\d;]*m/);
});
