import { readFileSync, statSync } from 'node:fs';

/** The state of a process id. `ended`: the process has ended, but its parent has not collected it, so the id is not free yet. */
export function processState(pid: number): 'running' | 'ended' | 'absent' {
  if (!(pid > 0)) return 'absent';
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'running' : 'absent';
  }
  return hasEnded(pid) ? 'ended' : 'running';
}

export function isAlive(pid: number): boolean {
  return processState(pid) === 'running';
}

/**
 * Returns whether the folder is the process's working directory, as a PostgreSQL server's data folder always is. Undefined if that cannot be known:
 * on systems other than Linux, and for processes of another user.
 */
export function worksIn(pid: number, dir: string): boolean | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const [theirs, ours] = [statSync(`/proc/${pid}/cwd`), statSync(dir)];
    return theirs.dev === ours.dev && theirs.ino === ours.ino;
  } catch {
    return undefined;
  }
}

function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')));
  } catch {
    return false;
  }
}
