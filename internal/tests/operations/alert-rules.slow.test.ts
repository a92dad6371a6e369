// Slow: promtool evaluates the rules over hours of samples.
import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { root } from '../documentation/markdown-page.ts';

/** Runs a program in the folder deploy. Resolves with its exit code and output. */
function run(program: string, packageName: string, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: `${root}deploy` }, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') reject(new Error(`${program} is not installed: apt-get install ${packageName}`));
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

const promtool = (...args: string[]) => run('promtool', 'prometheus', ...args);
const amtool = (...args: string[]) => run('amtool', 'prometheus-alertmanager', ...args);

const success = { code: 0, output: expect.stringContaining('SUCCESS') };

test('the configuration and the rules are valid', async () => {
  expect(await promtool('check', 'config', '--syntax-only', 'prometheus/prometheus.yml')).toEqual(success);
  expect(await promtool('check', 'rules', 'prometheus/rules/recording.yml', 'prometheus/rules/alerts.yml')).toEqual(
    success,
  );
  expect(await amtool('check-config', 'alertmanager/alertmanager.yml')).toEqual(success);
});

test('each alert fires on what it is for, and none fires on a service that is well', async () => {
  expect(await promtool('test', 'rules', 'prometheus/tests/alerts.yml')).toEqual(success);
});

test.each(['page', 'ticket'])('an alert of severity %s goes to the receiver of that name', async (severity) => {
  const args = ['--config.file=alertmanager/alertmanager.yml', `severity=${severity}`];
  const { output } = await amtool('config', 'routes', 'test', ...args);
  expect(output.split('\n')[0]).toBe(severity);
});
