import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

/** The children that run, with the folders that they keep. */
const running = new Map<ChildProcess, string | undefined>();
process.on('exit', endChildren);

/** Kills the child if this process exits before it, and removes its folder then. */
export function endWithProcess(child: ChildProcess, folder?: string): void {
  running.set(child, folder);
  child.once('exit', () => running.delete(child)).once('error', () => running.delete(child));
}

/** Kills the children that still run, and removes their folders. */
export function endChildren(): void {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
