// Slow: it copies the packages of production, 70 MB, and starts each program from the copy.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { imageSources, layOutImage, sizeOf } from '../../testing/image/image-contents.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { programEnv } from '../../testing/services/program-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

const megabyte = 1_000_000;
/** Debian 13 with its essential packages and without pages, 80 MB, and Node 26 without symbols, 117 MB; rounded up. */
const baseBytes = 205 * megabyte;
const maxImageBytes = 250 * megabyte;

/** Node refuses to write any file, and to load programs that are not JavaScript. */
const readOnly = '--permission --allow-fs-read=* --allow-net --allow-child-process --allow-worker';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-image-'));
  await layOutImage(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

test('the image has room for packages and sources in 250 MB', async () => {
  expect(baseBytes + (await sizeOf(folder))).toBeLessThan(maxImageBytes);
});

test('the image has no tests, and no file that git ignores', async () => {
  const sources = await imageSources();
  expect(sources.length).toBeGreaterThan(400);
  expect(sources.filter((path) => /\.test\.ts$|(^|\/)testing\//.test(path))).toEqual([]);
  const list = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { maxBuffer: 16 * megabyte });
  const known = new Set(stdout.split('\n'));
  expect(sources.filter((path) => !known.has(path))).toEqual([]);
});

test('every program in the image starts with the packages of production alone', async () => {
  const programs = (await readdir(join(folder, 'cmd'))).filter((name) =>
    existsSync(join(folder, 'cmd', name, 'main.ts')),
  );
  expect(programs.length).toBeGreaterThan(10);
  for (const program of programs) {
    const main = join(folder, 'cmd', program, 'main.ts');
    const env = { ...programEnv(), NODE_OPTIONS: readOnly, NODE_COMPILE_CACHE: '' };
    const { stdout } = await promisify(execFile)(process.execPath, [main, '--help'], { env });
    expect(stdout, program).toMatch(/^usage: /i);
  }
});

test.each([1, 2])('the service in the image writes no file, with %i workers', async (workers) => {
  const service = await ChildService.start(
    {
      NODE_OPTIONS: readOnly,
      NODE_COMPILE_CACHE: '',
      POSTGRES_DSN: await createTestDatabase(),
      WORKERS: String(workers),
    },
    'server',
    folder,
  );
  const alice = await signIn(transportTo(service.address), 'alice');
  await say(alice, await newGroup(alice), 'hello');
  for (const path of ['/', '/docs', '/docs/swagger-ui-bundle.js', '/openapi.json', '/readyz']) {
    expect((await fetch(service.url + path)).status, path).toBe(200);
  }
  service.signal('SIGTERM');
  expect(await service.exited).toEqual({ code: 0, signal: null });
  expect(service.stdout + service.stderr).not.toContain('ERR_ACCESS_DENIED');
});
