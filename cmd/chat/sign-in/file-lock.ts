import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';

/** The age of a lock whose program must hang, in milliseconds. No work under the lock takes nearly as long. */
const staleMs = 60_000;
const retryMs = 25;

/**
 * Runs work while no other program does work under the same lock file. Removes a lock file that a killed program left behind. Throws an error
 * if the lock is not free after twice the time that a lock may be held.
 */
export async function withFileLock<T>(file: string, action: () => Promise<T>): Promise<T> {
  const owner = `${process.pid} ${crypto.randomUUID()}`;
  const giveUpAt = Date.now() + 2 * staleMs;
  while (!(await take(file, owner))) {
    if (Date.now() > giveUpAt) throw new Error(`${file} is held by another program: remove it if there is none`);
    if (await isAbandoned(file)) await takeAway(file);
    else await sleep(equalJitter(2 * retryMs));
  }
  try {
    return await action();
  } finally {
    // The lock may have been removed and may now be another program's.
    if ((await ownerOf(file)) === owner) await rm(file, { force: true });
  }
}

async function take(file: string, owner: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(owner);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Removes a stale lock. A second lock file lets only one program do this, which checks again first: the file may be a new lock by then. */
async function takeAway(file: string): Promise<void> {
  const taking = `${file}.taking`;
  if (!(await take(taking, String(process.pid)))) {
    // Only a program that was killed within a few milliseconds can have left this file.
    if ((await ageOf(taking)) > staleMs) await rm(taking, { force: true });
    await sleep(retryMs);
    return;
  }
  try {
    if (!(await isAbandoned(file))) return;
    const gone = `${taking}.${process.pid}`;
    await rename(file, gone);
    await rm(gone, { force: true });
  } finally {
    await rm(taking, { force: true });
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  const [owner, ageMs] = [await ownerOf(file), await ageOf(file)];
  if (owner === undefined) return false;
  if (ageMs > staleMs) return true;
  const pid = Number.parseInt(owner, 10);
  // Its owner may not have written its process id yet.
  if (Number.isNaN(pid)) return ageMs > 1_000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function ownerOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

function ageOf(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}
