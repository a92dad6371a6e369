import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { dashboards, panelsOf } from '../../monitoring/dashboards.ts';

const committed = fileURLToPath(new URL('../../../deploy/grafana/dashboards', import.meta.url));

async function run(...args: string[]): Promise<{ code: number; faults: string[] }> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], (_error, _stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, faults: stderr.split('\n').filter((line) => line !== '') }),
    );
  });
}

test('files that were changed, removed or added by hand are found, and written anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-dashboards-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(committed, folder, { recursive: true });
  expect(await run('--check', folder)).toEqual({ code: 0, faults: [] });
  const right = await readFile(join(folder, 'chat-node.json'), 'utf8');
  await writeFile(join(folder, 'chat-node.json'), right.replace('Open files', 'Files'));
  await rm(join(folder, 'chat-path.json'));
  await writeFile(join(folder, 'other.json'), '{}');
  const { code, faults } = await run('--check', folder);
  expect([code, faults.map((fault) => /([\w-]+\.json) differs/.exec(fault)?.[1])]).toEqual([
    1,
    ['chat-path.json', 'chat-node.json', 'other.json'],
  ]);
  expect(await run(folder)).toEqual({ code: 0, faults: [] });
  expect(await run('--check', folder)).toEqual({ code: 0, faults: [] });
});

test('a panel leads to a dashboard that exists, and has a title of its own there', () => {
  const uids = new Set(dashboards.map(({ uid }) => uid));
  for (const dashboard of dashboards) {
    const panels = panelsOf(dashboard);
    expect(panels.flatMap(({ causes }) => causes ?? []).filter((uid) => !uids.has(uid))).toEqual([]);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  }
});
