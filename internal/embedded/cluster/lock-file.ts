import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The content of `postmaster.pid`, in which a running server describes itself. The server writes it in steps, so any part may be missing. */
export interface LockFile {
  readonly path: string;
  readonly pid: number;
  readonly port: number;
  /** Whether the server takes connections. */
  readonly ready: boolean;
}

/** Reads the data folder's lock file; undefined if there is none. Numbers that are not written yet are NaN. */
export async function readLockFile(dir: string): Promise<LockFile | undefined> {
  const path = join(dir, 'postmaster.pid');
  try {
    const lines = (await readFile(path, 'utf8')).split('\n');
    const number = (index: number) => Number.parseInt(lines[index] ?? '', 10);
    return { path, pid: number(0), port: number(3), ready: lines[7]?.trim() === 'ready' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
