import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ChatClient } from '../../../pkg/chat-client/index.ts';
import { startTestService } from '../../testing/services/test-service.ts';

const readme = readFileSync(new URL('../../../pkg/chat-client/README.md', import.meta.url), 'utf8');

test('the example of the README runs unchanged', async () => {
  const service = await startTestService();
  onTestFinished(() => service.stop());
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const program = example
    .replace(
      "'chat-service-client'",
      JSON.stringify(new URL('../../../pkg/chat-client/index.ts', import.meta.url).href),
    )
    .replace('http://localhost:8080', service.url);
  expect(program).toContain(service.url);
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'example.mjs');
  writeFileSync(file, program);

  const { stdout } = await promisify(execFile)(process.execPath, [file]);

  expect(stdout.split('\n').slice(0, -1)).toEqual([
    'now connecting',
    'now online',
    'sent as number 2',
    '1 alice ',
    '2 alice Hello!',
    "[ 'global: 0 unread' ]",
    'now closed',
  ]);
});

test('the README names every method of a client', () => {
  const methods = Object.getOwnPropertyNames(ChatClient.prototype).filter((name) => name !== 'constructor');
  for (const name of methods) expect(readme, name).toMatch(new RegExp(`\`${name}\\b`));
});
