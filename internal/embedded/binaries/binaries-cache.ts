import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { explainSystemError } from '../errors/explain-failure.ts';
import { canReach, type OsUser } from '../system/os-user.ts';
import type { Binaries } from './binaries.ts';

/** The folder for root's copy of PostgreSQL's programs, for installations that the server's user cannot reach. */
export const CACHE_DIR = '/var/cache/chat-service';

const INCOMPLETE = 'incomplete-';
const LEFTOVER_AGE_MS = 3_600_000;

/** Resolves with a folder of PostgreSQL's programs that `user` can run: the installed one if possible, or else root's copy, which is made once. */
export async function reachableBinaries(
  binaries: Binaries,
  user: OsUser | undefined,
  log: (line: string) => void,
  cacheDir = CACHE_DIR,
): Promise<string> {
  if (!user || (await canReach(join(binaries.dir, 'bin', 'postgres'), user))) return binaries.dir;
  try {
    if (await mkdir(cacheDir, { recursive: true })) await chmod(cacheDir, 0o755);
    await checkTrusted(cacheDir);
    await removeLeftovers(cacheDir);
    const copy = join(cacheDir, `postgres-${binaries.version}-${binaries.platform}`);
    if (await makeCopy(binaries.dir, copy, cacheDir)) {
      log(`the server's user cannot reach ${binaries.dir}: copied PostgreSQL to ${copy}`);
    }
    await checkTrusted(copy);
    if (await canReach(copy, user)) return copy;
    throw new EmbeddedPostgresError(
      `the server's user (uid ${user.uid}) can reach neither ${binaries.dir} nor ${copy}`,
    );
  } catch (error) {
    throw explainSystemError(`copy PostgreSQL to ${cacheDir}`, error);
  }
}

/** Copies under another name and renames the complete copy, so that a start that is killed, or two starts at once, do no harm. */
async function makeCopy(from: string, to: string, cacheDir: string): Promise<boolean> {
  if (await lstat(to).catch(() => undefined)) return false;
  const temporary = await mkdtemp(join(cacheDir, INCOMPLETE));
  try {
    await cp(from, temporary, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
    await openToAll(temporary);
    await rename(temporary, to);
    return true;
  } catch (error) {
    if (await lstat(to).catch(() => undefined)) return false;
    throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeLeftovers(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const path = join(cacheDir, name);
    if (!name.startsWith(INCOMPLETE) || Date.now() - (await lstat(path)).mtimeMs < LEFTOVER_AGE_MS) continue;
    await rm(path, { recursive: true, force: true });
  }
}

async function openToAll(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}

/** Throws if users other than root can write to the folder: it could hold anybody's program. */
async function checkTrusted(dir: string): Promise<void> {
  const folder = await lstat(dir);
  if (folder.isDirectory() && folder.uid === process.getuid?.() && (folder.mode & 0o022) === 0) return;
  throw new EmbeddedPostgresError(`${dir} must be a folder that only root can write to; remove it and start again`);
}
