import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { judgeSettings } from '../../tools/check-manifests/setting-faults.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** How long the service takes to close what it has open once it is drained, in milliseconds. */
const closingMs = 5_000;

/** The greatest exposure that is allowed, in tenths: systemd's scale ends at 100, and 20 is its "OK". */
const maxExposure = 20;

let unit: string;
beforeAll(async () => {
  unit = await readFile(join(root, 'deploy/systemd/chat.service'), 'utf8');
});

/** Runs systemd-analyze on the unit, with the code and the Node of this machine. Returns what it finds. */
async function analyze(text: string, ...args: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-unit-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'chat.service');
  const here = text.replaceAll('/opt/chat', root).replace('ExecStart=node', `ExecStart=${process.execPath}`);
  await writeFile(file, here);
  return promisify(execFile)('systemd-analyze', [...args, file]).then(
    ({ stderr }) => stderr,
    (error) => {
      if (error.code === 'ENOENT') throw new Error('systemd-analyze is needed: apt-get install systemd');
      return error.stderr || `it ended with ${error.code}`;
    },
  );
}

const verify = (text: string) => analyze(text, 'verify', '--man=no');
const security = (text: string) => analyze(text, 'security', '--offline=true', `--threshold=${maxExposure}`);

/** The values of a directive, in the order of the unit. */
function valuesOf(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

test('systemd understands the unit', async () => {
  expect(await verify(unit)).toBe('');
  expect(await verify(unit.replace('Restart=on-failure', 'Restart=on-failures'))).toMatch(/on-failures/);
  expect(await verify(unit.replace('ProtectSystem', 'ProtectsSystem'))).toMatch(/ProtectsSystem/);
});

test('the unit leaves the service little of the machine', async () => {
  expect(await security(unit)).toBe('');
  const open = unit.replace(/^(Protect|Restrict|Private|SystemCall|Capability).*$/gm, '');
  expect(await security(open)).not.toBe('');
});

test('the unit gives the service the time to drain and close', () => {
  const [seconds = ''] = valuesOf('TimeoutStopSec').map((value) => value.replace(/s$/, ''));
  const { drainTimeoutMs } = readConfig({ POSTGRES_DSN: 'postgres://chat@localhost/chat' }).times;
  expect(Number(seconds) * 1_000).toBeGreaterThan(drainTimeoutMs + closingMs);
});

test('the service starts with the settings of the unit and of its example, once the password is another', async () => {
  const example = await readFile(join(root, 'deploy/systemd/chat.env.example'), 'utf8');
  const env = { ...parseEnv(valuesOf('Environment').join('\n')), ...parseEnv(example) } as Record<string, string>;
  expect(Object.keys(env)).toContain('NODE_ENV');
  expect(judgeSettings(env)).toEqual([]);
});
