import { readFileSync, statSync } from 'node:fs';

/** What runs under a process id. `ended` is a process that its parent has not collected yet: its id is not free. */
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
 * Tells whether a process works in the folder, as a PostgreSQL server does in its data folder from start to end.
 * Undefined where that cannot be seen: off Linux, or when it belongs to another user.
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
