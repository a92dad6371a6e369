import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MessageStreaming } from '../../../pkg/chat-client/index.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const page = readFileSync(new URL('../../../docs/streamed-messages.md', import.meta.url), 'utf8');
const [, program = ''] = /```js\n(.*?)```/s.exec(page) ?? [];

/** A model that answers when the test says so. Resolves with the question and the answer's stream. */
async function startModel() {
  const asked: { question: string; answer: ServerResponse }[] = [];
  const server = createServer(async (request, answer) => {
    const chunks: Buffer[] = await request.toArray();
    asked.push({ question: Buffer.concat(chunks).toString(), answer });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const next = async () => {
    await eventually(() => expect(asked).not.toEqual([]));
    return asked.shift()!;
  };
  return { url: `http://127.0.0.1:${port}`, next };
}

/** Starts the program of docs/streamed-messages.md. Resolves with the lines that it prints once it is ready. */
async function startBot(env: Record<string, string>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bot-'));
  const sdk = new URL('../../../pkg/chat-client/index.ts', import.meta.url).href;
  writeFileSync(join(folder, 'bot.mjs'), program.replace("'chat-service-client'", JSON.stringify(sdk)));
  const bot = spawn(process.execPath, [join(folder, 'bot.mjs')], { env: { ...process.env, ...env } });
  const exited = once(bot, 'exit');
  onTestFinished(async () => {
    bot.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  });
  const lines: string[] = [];
  createInterface(bot.stdout).on('line', (line) => lines.push(line));
  bot.stderr.on('data', (text) => lines.push(String(text)));
  await eventually(() => expect(lines).toEqual(['ready']));
  return lines;
}

test('the bot of the documentation answers with what a model writes, while it writes it, and stops when it is asked to', async () => {
  const model = await startModel();
  const lines = await startBot({ CHAT_URL: service.url, MODEL_URL: model.url, ROOM: 'assistant' });
  const alice = await service.client('alice');
  const { id: chatId } = await alice.joinRoom('assistant');
  const newest = async () => (await alice.history(chatId)).at(-1)!;

  await alice.send(chatId, 'Who are you?');
  const first = await model.next();
  expect(first.question).toBe('Who are you?');
  first.answer.write('I am ');
  await eventually(async () =>
    expect(await newest()).toMatchObject({ text: 'I am ', streaming: MessageStreaming.STREAMING }),
  );
  first.answer.end('a bot. 😀');
  await eventually(async () =>
    expect(await newest()).toMatchObject({ text: 'I am a bot. 😀', streaming: MessageStreaming.UNSPECIFIED }),
  );

  await alice.send(chatId, 'Tell me more');
  const second = await model.next();
  second.answer.write('Once upon');
  await eventually(async () => expect(await newest()).toMatchObject({ text: 'Once upon' }));
  await alice.stopStream(chatId, (await newest()).id);
  await eventually(async () =>
    expect(await newest()).toMatchObject({ text: 'Once upon', streaming: MessageStreaming.CANCELLED }),
  );
  // The bot has let go of the model's answer, and answers the next question.
  await eventually(() => expect(second.answer.destroyed).toBe(true));
  await alice.send(chatId, 'And now?');
  const third = await model.next();
  third.answer.writeHead(503).end();
  await eventually(() => expect(lines).toContain('no answer: the model answered 503'));
});
