import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { programEnv } from '../../internal/testing/services/program-env.ts';

// Slow: three nodes run under load for half a minute.
const main = fileURLToPath(new URL('main.ts', import.meta.url));

async function soak(args: string[]): Promise<{ code: number; stdout: string; stderr: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-soak-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const report = join(folder, 'report');
  const env = { ...programEnv(), TMPDIR: folder };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args, '--report', report], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr, folder }),
    );
  });
}

test('a run judges the processes that lasted, draws what it read, and leaves nothing else behind', {
  timeout: 300_000,
}, async () => {
  const { stdout, stderr, folder } = await soak(['--minutes', '0.4', '--every', '3000', '--seed', '5']);
  expect(stdout, stderr).toMatch(/^of at most \d+ messages per second \d+ were sent: \d+ acknowledged, \d+ received$/m);
  expect(stdout).toContain('lost 0, doubled 0, reordered 0');
  // So short a run says nothing certain of memory, but the queues must be flat.
  for (const node of ['node-1', 'node-2'])
    expect(stdout).toMatch(new RegExp(`^flat: bytes that wait for readers of ${node}: `, 'm'));
  expect(stdout).not.toMatch(/messages of the load have no answer|was refused/);
  expect(await readdir(folder)).toEqual(['report']);
  const page = await readFile(join(folder, 'report', 'index.html'), 'utf8');
  expect(page.match(/<polyline /g)!.length).toBeGreaterThan(20);
  const { lives } = JSON.parse(await readFile(join(folder, 'report', 'result.json'), 'utf8'));
  expect(new Set(lives.map(({ node }: { node: string }) => node)).size).toBe(3);
});

test('wrong options are named', async () => {
  const { code, stderr } = await soak(['--bus', 'pigeon']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('error: --bus must be one of postgres, nats, redis')]);
});
