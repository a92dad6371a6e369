import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'logs-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the statements with a logger in a process of its own; returns what it wrote to standard output. */
async function run(options: Config['log'], statements: string): Promise<string> {
  const [logger, errors, live] = ['logger.ts', '../../model/errors.ts', '../../config/live/live-config.ts'].map(
    (path) => JSON.stringify(new URL(path, import.meta.url)),
  );
  const code = `import { createLogger } from ${logger}; import { ChatError } from ${errors};
    import { LiveConfig } from ${live}; const live = new LiveConfig({ log: ${JSON.stringify(options)} });
    const log = createLogger(live.current.log, live); ${statements}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
  return stdout;
}

test('lines go to standard output and to the file as JSON, with time and level; lines below the level are dropped', async () => {
  const file = join(folder, 'new', 'chat.log');
  const options = { level: 'warn', format: 'auto', file } as const;
  const output = await run(options, `log.info('not this'); log.warn({ chatId: 'c' }, 'this');`);
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([expect.objectContaining({ level: 'warn', chatId: 'c', msg: 'this' })]);
  expect(new Date(lines[0].time).toISOString()).toBe(lines[0].time);
  expect(await readFile(file, 'utf8')).toBe(output);
  await run(options, `log.error('more');`);
  expect((await readFile(file, 'utf8')).startsWith(output)).toBe(true);
});

const loggingSecrets = `
  log.info({
    authorization: 'secret1',
    call: { token: 'secret2', metadata: { authorization: 'secret3', 'set-cookie': ['secret4'] } },
    config: { postgres: { dsn: 'secret5', password: 'secret6' } },
    a: { b: { c: { refresh_token: 'secret7', currentPassword: 'secret8' } } },
  });
  log.child({ newPassword: 'secret9' }).error(new Error('no http://user:secret10@host', { cause: new Error('Bearer secret11') }));
  log.warn('no postgres://user:secret12@host');`;

test.each(['json', 'pretty'] as const)('%s lines and the file have no tokens and no passwords', async (format) => {
  const file = join(folder, `${format}.log`);
  const output = await run({ level: 'info', format, file }, loggingSecrets);
  for (const written of [output, await readFile(file, 'utf8')]) {
    expect(written).not.toContain('secret');
    expect(written).toMatch(/user:\[redacted\]@host/);
  }
  expect((await stat(file)).mode & 0o007).toBe(0);
});

test('an error is logged with its cause', async () => {
  const output = await run(
    { level: 'info', format: 'json', file: undefined },
    `log.error({ err: new ChatError('STORAGE_UNAVAILABLE', 'away', { cause: new Error('the cause') }) }, 'failed');`,
  );
  expect(JSON.parse(output).err.stack).toContain('the cause');
});

test('pretty lines are readable text', async () => {
  const output = await run({ level: 'info', format: 'pretty', file: undefined }, `log.info({ chatId: 'c' }, 'hello');`);
  expect(output).toMatch(/INFO.*hello/);
  expect(() => JSON.parse(output.split('\n')[0]!)).toThrow();
});

test('the logger and its children follow the level', async () => {
  const output = await run(
    { level: 'warn', format: 'json', file: undefined },
    `const child = log.child({ part: 'child' });
     child.info('early');
     live.reload({ log: { level: 'info' } });
     for (const logger of [log, child, child.child({})]) logger.info('late');`,
  );
  const lines = output.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['late', 'late', 'late']);
});
