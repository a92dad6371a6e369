import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ChatClient } from '../../../pkg/chat-client/index.ts';
import { startTestService } from '../../testing/services/test-service.ts';

const readme = readFileSync(new URL('../../../pkg/chat-client/README.md', import.meta.url), 'utf8');

const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, program]) => program ?? '');

/** Runs a program that imports the package. Returns the lines that it prints. */
async function run(example: string): Promise<string[]> {
  const service = await startTestService();
  onTestFinished(() => service.stop());
  const sdk = new URL('../../../pkg/chat-client/index.ts', import.meta.url).href;
  const program = example
    .replace("'chat-service-client'", JSON.stringify(sdk))
    .replace('http://localhost:8080', service.url);
  expect(program).toContain(service.url);
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'example.mjs');
  writeFileSync(file, program);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  return stdout.split('\n').slice(0, -1);
}

test('the first example of the README runs unchanged', async () => {
  expect(await run(examples[0] ?? '')).toEqual([
    'now connecting',
    'now online',
    'sent as number 2',
    '1 alice ',
    '2 alice Hello!',
    "[ 'global: 0 unread' ]",
    'now closed',
  ]);
});

test('the example of edits in the README runs with the client and the chat of the first example', async () => {
  const [begin] = (examples[0] ?? '').split('const { seq }');
  const end = "console.log('texts:', (await chat.history()).map(({ text }) => text));\nawait client.close();";
  expect(await run(`${begin}${examples[1]}${end}`)).toContain("texts: [ '', '' ]");
});

test('the example of streamed messages runs with the client and the chat of the first example', async () => {
  const [begin] = (examples[0] ?? '').split('const { seq }');
  const end = "console.log('texts:', (await chat.history()).map(({ text }) => text));\nawait client.close();";
  const lines = await run(`${begin}${examples[2]}${end}`);
  expect(lines).toContain("texts: [ '', 'Once upon a time', 'The end' ]");
  expect(lines).toContain('and then: Once ');
});

test('the README names every method of a client', () => {
  const methods = Object.getOwnPropertyNames(ChatClient.prototype).filter((name) => name !== 'constructor');
  for (const name of methods) expect(readme, name).toMatch(new RegExp(`\`${name}\\b`));
});
