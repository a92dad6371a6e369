import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findGhz } from './find-ghz.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-ghz-'));
  for (const program of ['ghz', 'go', 'docker', 'no-docker']) {
    await mkdir(join(folder, program));
    const file = join(folder, program, program.replace('no-', ''));
    await writeFile(file, `#!/bin/sh\nexit ${program.startsWith('no-') ? 1 : 0}\n`);
    await chmod(file, 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const withPrograms = (...programs: string[]) => ({ PATH: programs.map((name) => join(folder, name)).join(':') });

test('ghz is taken from the PATH, else through Go, else through Docker', () => {
  expect(findGhz(folder, withPrograms('ghz', 'go', 'docker'))).toMatchObject({ command: 'ghz', args: [] });
  expect(findGhz(folder, withPrograms('go', 'docker'))).toMatchObject({ command: 'go' });
  expect(findGhz(folder, withPrograms('docker'))).toMatchObject({ command: 'docker' });
});

test('without any of them, or with a Docker that does not run, an error says how to get one', () => {
  for (const env of [withPrograms(), withPrograms('no-docker')]) {
    expect(() => findGhz(folder, env)).toThrow(/^ghz is needed: put it on the PATH .* Go .* Docker/);
  }
});
