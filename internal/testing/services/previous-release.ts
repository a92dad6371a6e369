import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** The commit of the release before this one: a rolling update runs both side by side. */
export const previousRelease = 'ca00ed80a6dd2f6f025436e8a4dc14f0689e4223';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Whether the clone has the commit. A shallow one may not. */
export async function hasPreviousRelease(): Promise<boolean> {
  const found = promisify(execFile)('git', ['cat-file', '-e', `${previousRelease}^{commit}`], { cwd: root });
  return found.then(
    () => true,
    () => false,
  );
}

/** Writes the files of the previous release into a folder, which is removed when the test ends, and returns it. Packages are those of this release. */
export async function checkOutPreviousRelease(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-previous-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const archive = spawn('git', ['archive', previousRelease], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const unpack = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'inherit', 'inherit'] });
  archive.stdout.pipe(unpack.stdin);
  const [code] = await once(unpack, 'close');
  if (code !== 0) throw new Error('the previous release cannot be unpacked');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
