import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTcpProxy } from '../../internal/testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import type { ChatClient } from '../../pkg/chat-client/index.ts';
import { startChat, stopChats } from './testing/chat-process.ts';

let service: TestService;
let bot: ChatClient;
let room: { id: string };
beforeAll(async () => {
  service = await startTestService();
  bot = await service.client('bot');
  room = await bot.joinRoom('global');
});
afterEach(stopChats);
afterAll(() => service.stop());

const lines = (output: string) => output.split('\n').filter((line) => line.includes('[bot]'));

test('a message that grows is one line, which is printed when it has ended', async () => {
  const chat = startChat('--user', 'alice', '--addr', service.address);
  await chat.shows('Joined room: global');
  const pen = bot.stream(room.id).getWriter();
  for (const text of ['Once', ' upon', ' a time']) await pen.write(text);
  await bot.send(room.id, 'in between');
  await chat.shows('in between');
  expect(chat.output).not.toContain('Once');
  await pen.close();
  await chat.shows('Once upon a time');
  const stopped = bot.stream(room.id, { text: 'On and' });
  await stopped.started;
  await stopped.abort();
  await chat.shows('On and (breaks off)');
  const deleted = bot.stream(room.id, { text: 'secret' });
  await bot.delete(room.id, (await deleted.started).messageId);
  await bot.send(room.id, 'last');
  await chat.shows('last');
  expect(lines(chat.output).map((line) => line.replace(/.*\[bot\] /, ''))).toEqual([
    ...['in between', 'Once upon a time', 'On and (breaks off)', 'last'],
  ]);
});

test('connect-chat prints it when it has ended', async () => {
  const { id: chatId } = await bot.joinRoom('stories');
  const chat = startChat('connect-chat', 'stories', '--after', '0', '--user', 'carol', '--addr', service.address);
  await bot.send(chatId, 'first');
  await chat.shows('first');
  const pen = bot.stream(chatId, { text: 'Twice' }).getWriter();
  await pen.write(' upon');
  await bot.send(chatId, 'between');
  await chat.shows('between');
  await pen.close();
  await chat.shows('Twice upon');
  expect(lines(chat.output).map((line) => line.replace(/.*\[bot\] /, ''))).toEqual([
    ...['first', 'between', 'Twice upon'],
  ]);
});

test.each([
  { what: 'a conversation', command: [], joined: 'Joined room: global', name: 'global' },
  { what: 'connect-chat', command: ['connect-chat', 'tales', '--after', '0'], joined: undefined, name: 'tales' },
])(
  '$what that goes on at another node while a message grows prints it once, at its end',
  async ({ command, joined, name }) => {
    const nodes = [await startTestService({ BUS_URL: 'postgres:' })];
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
    const [first] = nodes;
    const writer = await first!.client('bot');
    // It has heard nothing of the chat, and reads from the database what the client missed.
    nodes.push(await startTestService({ BUS_URL: 'postgres:' }, { dsn: first!.dsn }));
    const proxy = await startTcpProxy(`http://${first!.address}`);
    onTestFinished(() => proxy.close());
    const { id: chatId } = await writer.joinRoom(name);
    const chat = startChat(...command, '--user', 'dave', '--addr', new URL(proxy.dsn).host);
    if (joined) await chat.shows(joined);
    const pen = writer.stream(chatId).getWriter();
    await pen.write('Thrice');
    await writer.send(chatId, 'before');
    await chat.shows('before');
    proxy.cut();
    await pen.write(' upon');
    await eventually(async () =>
      expect((await writer.history(chatId)).map(({ text }) => text)).toContain('Thrice upon'),
    );
    proxy.redirect(`http://${nodes[1]!.address}`);
    proxy.restore();
    await writer.send(chatId, 'after');
    await chat.shows('after');
    await pen.close();
    await chat.shows('Thrice upon');
    await writer.send(chatId, 'the end');
    await chat.shows('the end');
    expect(lines(chat.output).map((line) => line.replace(/.*\[bot\] /, ''))).toEqual([
      ...['before', 'after', 'Thrice upon', 'the end'],
    ]);
  },
);
