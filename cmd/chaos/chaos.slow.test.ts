import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../../internal/embedded/system/process-state.ts';
import { waitUntil } from '../../internal/embedded/system/wait-until.ts';
import { descendantsOf } from '../../internal/testing/descendants-of.ts';
import { programEnv } from '../../internal/testing/services/program-env.ts';
import type { Verdict } from '../../internal/verify/checker/verdict.ts';

// Slow: clusters of three nodes run for seconds while everything is broken on purpose.
const main = fileURLToPath(new URL('main.ts', import.meta.url));

test.each([
  { bus: 'postgres', ingest: 'direct' },
  { bus: 'postgres', ingest: 'jetstream' },
  { bus: 'nats', ingest: 'direct' },
  { bus: 'nats', ingest: 'jetstream' },
  { bus: 'redis', ingest: 'direct' },
  { bus: 'redis', ingest: 'jetstream' },
])('three nodes over $bus, ingest $ingest, lose nothing, whatever is broken', { timeout: 180_000 }, async (kinds) => {
  const folder = await temporaryFolder();
  const history = join(folder, 'history.ndjson');
  const { bus, ingest } = kinds;
  // With these seeds the database is replaced early: by a standby, or by a backup.
  const seed = ingest === 'direct' ? '30' : '42';
  const load = ['--seed', seed, '--seconds', '10', '--every', '900', '--bus', bus, '--ingest', ingest];
  const args = [...load, '--json', '--history', history];
  const { code, stdout, stderr } = await chaos(args, folder);

  expect(stdout, stderr).not.toBe('');
  const { figures, violations }: Verdict = JSON.parse(stdout);
  const found = violations.map(({ kind, chatId, text }) => `${kind}: ${text} ${chatId ?? ''}`);
  expect({ code, found, unread: figures.unread }, stderr).toEqual({ code: 0, found: [], unread: 0 });
  expect(figures).toMatchObject({ lost: 0, doubled: 0, reordered: 0 });
  expect(figures.acknowledged).toBeGreaterThan(10);
  expect(await readFile(history, 'utf8')).toContain('"kind":"epoch"');
});

test('SIGINT ends and removes everything', { timeout: 120_000 }, async () => {
  const folder = await temporaryFolder();
  const running = run(['--seed', '2', '--seconds', '600'], folder);
  expect(
    await waitUntil(
      () => /(kill|cut|pause|slow|silence|restart|fill|restore|fail over)/.test(running.stderr()),
      90_000,
    ),
  ).toBe(true);
  const children = (await descendantsOf(running.child.pid!)).map(({ pid }) => pid);
  running.child.kill('SIGINT');
  await running.exited;

  expect(await readdir(folder)).toEqual([]);
  expect(children.length).toBeGreaterThan(3);
  expect(children.filter(isAlive)).toEqual([]);
});

test.each([
  ['its database', (files: string[]) => files.some((file) => /\/disk\/data\//.test(file))],
  ['a node', (files: string[]) => files.some((file) => file.endsWith('node-2.log'))],
])(
  'SIGINT ends and removes everything while chaos starts %s, also when it is sent twice',
  {
    timeout: 120_000,
  },
  async (_what, hasBegun) => {
    const folder = await temporaryFolder();
    const running = run(['--seed', '3', '--seconds', '600', '--nodes', '9'], folder);
    const files = () => readdir(folder, { recursive: true }).catch(() => []);
    let children: readonly number[] = [];
    const hasChildren = async () => {
      children = (await descendantsOf(running.child.pid!)).map(({ pid }) => pid);
      return children.length > 0;
    };
    // Between initdb and PostgreSQL there is no child.
    expect(await waitUntil(async () => hasBegun(await files()) && (await hasChildren()), 90_000)).toBe(true);
    const impatient = setInterval(() => running.child.kill('SIGINT'), 50);
    running.child.kill('SIGINT');
    const code = await running.exited;
    clearInterval(impatient);

    expect([code, running.stderr()]).toEqual([2, expect.stringContaining('error: interrupted')]);
    expect(await readdir(folder)).toEqual([]);
    expect(children.filter(isAlive)).toEqual([]);
  },
);

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-chaos-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

async function chaos(args: string[], folder: string) {
  const running = run(args, folder);
  const code = await running.exited;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

function run(args: string[], folder: string) {
  const env = { ...programEnv(), TMPDIR: folder };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGINT'));
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, exited, stdout: () => out, stderr: () => err };
}
