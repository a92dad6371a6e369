import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { programEnv } from '../../testing/services/program-env.ts';
import { startTestService } from '../../testing/services/test-service.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('the consumer in the documentation handles every change once, also when it is killed and restarted', async () => {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  const url = `nats://127.0.0.1:${nats.port}`;
  const service = await startTestService({ NATS_URL: url, EXPORT: 'jetstream' });
  onTestFinished(() => service.stop());
  const page = await readFile(`${root}docs/consuming-events.md`, 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(page) ?? [];
  let output = '';
  const run = () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', example], {
      cwd: root,
      env: { ...programEnv(), NATS_URL: url },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  await say(alice, group, 'hello');
  await eventually(async () => expect(await readExported(url)).toHaveLength(2));
  const lines = [`${group.id} 1 ${alice.name}: (recorded)`, `${group.id} 2 ${alice.name}: hello`];
  const first = run();
  await eventually(() => expect(output.trimEnd().split('\n')).toEqual(lines));
  await say(alice, group, 'again');
  lines.push(`${group.id} 3 ${alice.name}: again`);
  await eventually(() => expect(output.trimEnd().split('\n')).toEqual(lines));
  first.kill('SIGKILL');
  await alice.chat.deleteChat({ chatId: group.id });
  run();
  await eventually(() => expect(output.trimEnd().split('\n').at(-1)).toBe(`${group.id} is no more`));
});
