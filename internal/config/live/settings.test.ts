import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../config.ts';
import { readGatewayConfig } from '../gateway-config.ts';
import { ConfigError } from '../reading/env-reader.ts';
import { Settings } from './settings.ts';

function newFile(content: string) {
  const folder = mkdtempSync(join(tmpdir(), 'chat-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'chat.env');
  const write = (text: string) => writeFileSync(path, text);
  write(content);
  return { path, write };
}

/** The faults with which `work` fails. */
function faultsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('settings come from the file, and the environment overrides it', () => {
  const file = newFile('RATE_LIMIT_CALLS=7\nRATE_LIMIT_MESSAGES="8"\n# a comment\n');
  const { live } = new Settings({ CONFIG_FILE: file.path, RATE_LIMIT_CALLS: '9' }, readConfig);
  expect(live.current.rates).toMatchObject({ callsPerSecond: 9, messagesPerSecond: 8 });
});

test('a file that cannot be read is a fault', () => {
  const faults = faultsOf(() => new Settings({ CONFIG_FILE: '/nowhere/chat.env' }, readConfig));
  expect(faults).toEqual(['CONFIG_FILE: cannot read /nowhere/chat.env (ENOENT)']);
});

test('a reload applies what is reloadable, and names what needs a restart', () => {
  const file = newFile('RATE_LIMIT_CALLS=7\nHTTP_PORT=81\nMAX_MEMBERS=10');
  const settings = new Settings({ CONFIG_FILE: file.path, EDIT_WINDOW_SECONDS: '1' }, readConfig);
  const limits = settings.live.follow(({ limits }) => limits);
  const told: number[] = [];
  settings.live.onReload(({ rates }) => told.push(rates.callsPerSecond));

  file.write(
    'RATE_LIMIT_CALLS=8\nPOSTGRES_POOL_SIZE=20\nEDIT_WINDOW_SECONDS=5\nSOMETHING_ELSE=1\nWORKERS=1\nMAX_PAGE_SIZE=200',
  );
  expect(settings.reload()).toEqual({
    applied: expect.toSatisfy((names: string[]) => names.toSorted().join() === 'MAX_MEMBERS,RATE_LIMIT_CALLS'),
    needRestart: expect.toSatisfy((names: string[]) => names.toSorted().join() === 'HTTP_PORT,POSTGRES_POOL_SIZE'),
  });
  const { rates, database, changes } = settings.live.current;
  expect([rates.callsPerSecond, database.poolSize, changes.editWindowMs]).toEqual([8, 10, 1_000]);
  expect([limits.maxMembers, told]).toEqual([10_000, [8]]);
  expect(settings.reloadableValues).toMatchObject({ RATE_LIMIT_CALLS: '8', MAX_MEMBERS: null });
  // What needs a restart is named until it is restarted.
  expect(settings.reload().needRestart).toContain('POSTGRES_POOL_SIZE');
});

test('faulty settings change nothing, and all faults are told', () => {
  const file = newFile('RATE_LIMIT_CALLS=7');
  const settings = new Settings({ CONFIG_FILE: file.path }, readConfig);
  settings.live.onReload(() => expect.unreachable());
  file.write('RATE_LIMIT_CALLS=8\nMAX_MEMBERS=one\nGRPC_PORT=-1');
  expect(faultsOf(() => settings.reload()).map((fault) => fault.split(' ')[0])).toEqual(['GRPC_PORT', 'MAX_MEMBERS']);
  expect(settings.live.current.rates.callsPerSecond).toBe(7);
  expect(settings.reloadableValues.RATE_LIMIT_CALLS).toBe('7');
});

test('a new value that fits only together with one that needs a restart is a fault', () => {
  const file = newFile('MAX_FRAME_BYTES=20000');
  const settings = new Settings({ CONFIG_FILE: file.path }, readConfig);
  file.write('MAX_FRAME_BYTES=300000\nMAX_TEXT_LENGTH=60000\nMAX_MEMBERS=9');
  expect(faultsOf(() => settings.reload())).toEqual([expect.stringContaining('MAX_FRAME_BYTES must have room')]);
  expect(settings.live.current.limits).toMatchObject({ maxTextLength: 4_000, maxMembers: 10_000 });
});

test('a program does not name settings that it does not read', () => {
  const file = newFile('');
  const settings = new Settings({ CONFIG_FILE: file.path }, readGatewayConfig);
  file.write('RATE_LIMIT_CALLS=8\nWORKERS=4\nLOG_LEVEL=warn\nHTTP_PORT=81');
  expect(settings.reload()).toEqual({ applied: ['LOG_LEVEL'], needRestart: ['HTTP_PORT'] });
});

test('a worker takes the values of the process that has started it', () => {
  const primary = new Settings({ RATE_LIMIT_CALLS: '8' }, readConfig);
  const worker = new Settings({ RATE_LIMIT_CALLS: '7', MAX_MEMBERS: '9', WORKERS: '2' }, readConfig);
  expect(worker.take(primary.reloadableValues).needRestart).toEqual([]);
  expect(worker.live.current).toMatchObject({
    rates: { callsPerSecond: 8 },
    limits: { maxMembers: 10_000 },
    workers: 2,
  });
});
