import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
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
