import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const files = [path('../../docker-compose.yml'), path('../../deploy/compose.yml')];
const stack = path('../../deploy/stack.yml');

/** What it says of the files, and its exit code. */
function check(...files: string[]): Promise<{ code: number; faults: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [path('check-compose.ts'), ...files], (_error, _stdout, faults) =>
      resolve({ code: child.exitCode ?? -1, faults }),
    );
  });
}

test('the compose files of this project are right', async () => {
  expect(await check(...files, `${files[1]}+${stack}`)).toEqual({ code: 0, faults: '' });
});

test.each([
  ['stop_grace_period', 'stop_grace_time', /services\/chat must NOT have additional properties/],
  ['INGEST: jetstream', 'INJEST: jetstream', /services\/relay\/environment INJEST is no setting of the service/],
  ['ROLES: relay', 'ROLES: relays', /services\/relay\/environment ROLES must be some of/],
  ['max-size:', 'max-sizes:', /services\/proxy\/logging\/options has no max-size/],
  ['ALLOW_INSECURE: ', 'ALLOW_INSECURE: default-password,', /the example of a password is taken for one/],
])('%s, become %s, is found', async (text, other, fault) => {
  const { code, faults } = await check(await changed(files[1]!, text, other));
  expect(code).toBe(1);
  expect(faults).toMatch(fault);
});

test.each([
  ['ADMIN_HOST: 0.0.0.0', 'ADMIN_HORST: 0.0.0.0', /services\/relay\/environment ADMIN_HORST is no setting/],
  ['ALLOW_INSECURE: plaintext,guests', 'ALLOW_INSECURE: guests', /services\/chat\/environment .*plain/],
  ['restart: unless-stopped', 'restarts: unless-stopped', /services\/grafana must NOT have additional properties/],
])('in a file on top of another, %s, become %s, is found', async (text, other, fault) => {
  const { code, faults } = await check(`${files[1]}+${await changed(stack, text, other)}`);
  expect(code).toBe(1);
  expect(faults).toMatch(fault);
});

/** A copy of the file, with another text in it. */
async function changed(file: string, text: string, other: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-compose-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const right = await readFile(file, 'utf8');
  expect(right).toContain(text);
  await writeFile(join(folder, 'compose.yml'), right.replace(text, other));
  return join(folder, 'compose.yml');
}
