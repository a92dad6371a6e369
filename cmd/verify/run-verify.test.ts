import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeTestCertificates } from '../../internal/testing/services/certificates.ts';
import { startTestService } from '../../internal/testing/services/test-service.ts';
import { runVerify } from './run-verify.ts';

let folder: string;
let out = '';
let err = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-verify-'));
  [out, err] = ['', ''];
  vi.spyOn(console, 'log').mockImplementation((line) => {
    out += `${line}\n`;
  });
  vi.spyOn(console, 'error').mockImplementation((line) => {
    err += `${line}\n`;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

test('a service is checked, and the history that was recorded comes to the same verdict', async () => {
  const service = await startTestService();
  const history = join(folder, 'history.ndjson');
  const args = ['--addr', service.address, '--http', service.url, '--operations', '150', '--seed', '7', '--json'];
  expect(await runVerify([...args, '--history', history]), err + out).toBe(0);
  await service.stop();
  const verdict = JSON.parse(out);
  expect(verdict.figures).toMatchObject({ seed: 7, lost: 0, doubled: 0, reordered: 0 });

  out = '';
  expect(await runVerify(['check', history, '--json'])).toBe(0);
  expect(JSON.parse(out)).toEqual(verdict);
});

test('a service with TLS is checked by gRPC and HTTPS', async () => {
  const certificates = await makeTestCertificates();
  const service = await startTestService(certificates.env);
  const args = ['--addr', service.address, '--http', service.url, '--tls-ca', certificates.ca, '--json'];
  try {
    expect(await runVerify([...args, '--operations', '100', '--seed', '7']), err + out).toBe(0);
  } finally {
    await service.stop();
    await certificates.remove();
  }
  expect(JSON.parse(out).figures).toMatchObject({ lost: 0, doubled: 0, reordered: 0 });
});

test('with only --http given no client uses gRPC', async () => {
  const service = await startTestService();
  const history = join(folder, 'history.ndjson');
  const args = ['--http', service.url, '--operations', '60', '--seed', '7', '--history', history];
  expect(await runVerify(args), err + out).toBe(0);
  await service.stop();
  const ways = new Set((await readFile(history, 'utf8')).match(/"via":"[^"]*"/g));
  expect([...ways].sort()).toEqual(['"via":"sdk-ws"', '"via":"sse"', '"via":"ws-json"', '"via":"ws-proto"']);
});

test('a history in which an acknowledged message is missing is a violation, shown with what contradicts it', async () => {
  const service = await startTestService();
  const history = join(folder, 'history.ndjson');
  await runVerify(['--addr', service.address, '--operations', '60', '--history', history]);
  await service.stop();
  const records = (await readFile(history, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const lost = records.find(({ kind, outcome }) => kind === 'send' && outcome === 'ok');
  const rest = records.filter(({ kind, id }) => kind !== 'message' || id !== lost.messageId);
  await writeFile(history, rest.map((record) => JSON.stringify(record)).join('\n'));

  expect(await runVerify(['check', history])).toBe(1);
  expect(out).toContain('an acknowledged message is not in the chat (lost, promise 1)');
  expect(out).toContain(lost.clientMessageId);
  expect(out).toContain('VIOLATED');
});

test.each([
  [['--addr', 'nonsense'], '--addr must be host:port'],
  [['--unknown'], 'nknown option'],
  [['check'], 'check needs one FILE'],
  [['--clients', 'many'], '--clients must be a whole number'],
  [['--addr', '127.0.0.1:1'], 'ECONNREFUSED'],
  [['--tls-ca', '/does/not/exist'], 'cannot read /does/not/exist (ENOENT)'],
  [['--tls-cert', 'client.crt'], '--tls-cert and --tls-key must be given together'],
  [['check', '/does/not/exist'], 'ENOENT'],
])('%j ends with code 2 and says why', async (args, message) => {
  expect(await runVerify(args)).toBe(2);
  expect(err).toContain(message);
});
