import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns what tells the CPU time that a bundled PostgreSQL has used so far, with all its processes, in microseconds. */
export function postgresCpu(dataDir: string): { cpuMicros(): number } {
  const postmaster = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]!;
  return {
    cpuMicros: () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .reduce((sum, pid) => sum + ticksOf(pid, postmaster), 0) * 10_000,
  };
}

/** CPU time of a process of the server, in ticks of 10 ms. That of the postmaster includes processes that have ended. 0 for any other process. */
function ticksOf(pid: string, postmaster: string): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return 0;
  }
  // The name in brackets may contain spaces. What follows: state, parent, …; fields 14 to 17 are the times of the process and of its ended children.
  const fields = stat.replace(/^.*\) /s, '').split(' ');
  const times = fields.slice(11, pid === postmaster ? 15 : 13);
  return pid === postmaster || fields[1] === postmaster ? times.reduce((sum, ticks) => sum + Number(ticks), 0) : 0;
}
