import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { programEnv } from './program-env.ts';

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program of cmd/ until it exits, with only these settings of the service. */
export function runProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  input = '',
): Promise<Outcome> {
  const main = fileURLToPath(new URL(`../../../cmd/${program}/main.ts`, import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { ...programEnv(), ...env } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
