import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../app/process/logger.ts';

const sample = fileURLToPath(new URL('../../../deploy/logrotate/chat', import.meta.url));

/** A folder with the sample as configuration, for a log in the folder and for the user that runs the test. */
async function configure() {
  const folder = await mkdtemp(join(tmpdir(), 'chat-logrotate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [config, log] = [join(folder, 'config'), join(folder, 'chat.log')];
  const text = await readFile(sample, 'utf8');
  await writeFile(config, text.replaceAll('/var/log/chat/chat.log', log).replace(/^ *su .*\n/m, ''));
  await chmod(config, 0o644);
  const rotate = (...args: string[]) => runLogrotate('--state', join(folder, 'state'), ...args, config);
  return { log, config, rotate };
}

async function runLogrotate(...args: string[]): Promise<string> {
  try {
    const PATH = `${process.env.PATH}:/usr/sbin`;
    const { stderr } = await promisify(execFile)('logrotate', args, { env: { ...process.env, PATH } });
    return stderr;
  } catch (error) {
    const { code } = error as { code: unknown };
    if (code === 'ENOENT') throw new Error('logrotate is needed: apt-get install logrotate', { cause: error });
    throw error;
  }
}

test('logrotate understands the sample', async () => {
  const { log, config, rotate } = await configure();
  await writeFile(log, 'a line\n');
  const said = await rotate('--debug');
  expect(said).toContain(`considering log ${log}`);
  expect(said).not.toMatch(/error|unknown|ignored/i);
  await appendFile(config, 'every-second\n');
  expect(await rotate('--debug').catch(({ stderr }) => stderr)).toMatch(/error|unknown/i);
});

test('the service goes on writing into its file after a rotation, from the file’s beginning', async () => {
  const { log, rotate } = await configure();
  const logger = createLogger({ level: 'info', format: 'json', file: log });
  for (let line = 0; line < 100; line += 1) logger.info({ line }, 'before');
  const before = await readFile(log, 'utf8');
  await rotate('--force');
  expect(await readFile(`${log}.1`, 'utf8')).toBe(before);
  expect((await stat(log)).size).toBe(0);
  logger.info('after');
  expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({ msg: 'after' });
});
