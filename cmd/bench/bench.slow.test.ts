import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../../internal/embedded/system/process-state.ts';
import { descendantsOf } from '../../internal/testing/descendants-of.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { programEnv } from '../../internal/testing/services/program-env.ts';

// Slow: starts PostgreSQL, NATS and a service.
test('SIGTERM ends the bench and everything that it has started, and removes what they kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-bench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const env = { ...programEnv(), TMPDIR: folder };
  const bench = spawn(process.execPath, [main, '--only', 'ingest'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void bench.kill('SIGTERM'));
  let complaints = '';
  bench.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const ended = once(bench, 'close');
  const children = await eventually(async () => {
    const found = await descendantsOf(bench.pid!);
    const commands = found.map(({ command }) => command).join('\n');
    for (const name of [/postgres -D/, /nats-server/, /server\/main\.ts/]) expect(commands).toMatch(name);
    return found.map(({ pid }) => pid);
  });
  bench.kill('SIGTERM');

  expect(await ended).toEqual([1, null]);
  expect(complaints).toBe('measuring: ingest …\nerror: interrupted: there are no figures\n');
  await eventually(() => expect(children.filter(isAlive)).toEqual([]));
  expect(await readdir(folder)).toEqual([]);
});
