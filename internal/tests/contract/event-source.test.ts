import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService } from '../../testing/services/test-service.ts';

test('curl reads the events of a chat as they happen', async () => {
  const service = await startTestService();
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const url = `${service.url}/v1/chats/${group.id}/events?after_seq=0`;
  const curl = spawn('curl', ['-sN', '--compressed', '-H', `Authorization: Bearer ${alice.token}`, url]);
  onTestFinished(() => void curl.kill('SIGKILL'));
  let output = '';
  curl.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually(() => expect(output).toContain('event: caught_up\n'));
  for (const text of ['one', 'two']) {
    const { seq } = await say(alice, group, text);
    await eventually(() =>
      expect(output).toMatch(new RegExp(`\\nevent: message\\nid: ${seq}@\\w+\\ndata: .*"${text}".*\\n\\n$`)),
    );
  }
  const exited = once(curl, 'exit');
  await service.stop();
  expect(await exited).toEqual([0, null]);
  expect(output).toMatch(/\nevent: closing\nretry: \d+\ndata: .*CLOSE_REASON_DRAINING.*\n\n$/);
});
