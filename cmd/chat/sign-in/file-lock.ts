import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';

/** A lock that is older belongs to a program that hangs, in milliseconds. Nothing under it takes nearly as long. */
const staleMs = 60_000;
const retryMs = 25;

/**
 * Does something while nobody else does who uses the same lock file. One that a killed program has left is taken away. Throws an error if it
 * cannot be had for twice as long as a lock may be held.
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
    // Not if it was taken away, and is another's now.
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

/** Only one of those who want to takes it away, and looks once more before: the file may be a new lock by then. */
async function takeAway(file: string): Promise<void> {
  const taking = `${file}.taking`;
  if (!(await take(taking, String(process.pid)))) {
    // Whoever left that was killed in a moment of a few milliseconds.
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
  // Its owner may not have come to write who it is.
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
