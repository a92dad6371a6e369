import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { programEnv } from '../../../internal/testing/services/program-env.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Runs the program to its end. */
export function runProgram(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...programEnv(), ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}
