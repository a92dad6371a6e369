import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Descendant {
  pid: number;
  /** The program and its arguments. */
  command: string;
}

/** The processes below one. */
export async function descendantsOf(parent: number): Promise<Descendant[]> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'pid=,ppid=,args=']);
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, ppid, ...args]) => ({ pid: Number(pid), ppid: Number(ppid), command: args.join(' ') }));
  const below = (of: number): Descendant[] =>
    all.filter(({ ppid }) => ppid === of).flatMap((one) => [one, ...below(one.pid)]);
  return below(parent);
}
