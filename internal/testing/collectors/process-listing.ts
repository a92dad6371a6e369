import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Records what other users of the machine can see of a process and its children: polls /proc. Linux only. */
export class ProcessListing {
  /** Every command line seen so far, its arguments separated by spaces. */
  readonly commandLines = new Set<string>();
  /** Every environment of a child seen so far. */
  readonly environments = new Set<string>();
  readonly #pid: number;
  #watching = true;

  /** Polls until the test ends. */
  constructor(pid: number) {
    this.#pid = pid;
    const watched = this.#watch();
    onTestFinished(async () => {
      this.#watching = false;
      await watched;
    });
  }

  async #watch(): Promise<void> {
    while (this.#watching) {
      await this.look();
      await delay(1);
    }
  }

  /** Polls once. */
  async look(): Promise<void> {
    const own = await read(this.#pid, 'cmdline');
    this.commandLines.add(own);
    for (const pid of await descendants(this.#pid)) {
      const line = await read(pid, 'cmdline');
      this.commandLines.add(line);
      // Until a child executes its program, it is a copy of its parent.
      if (line !== own) this.environments.add(await read(pid, 'environ'));
    }
  }
}

async function descendants(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(tasks.map((task) => read(pid, `task/${task}/children`)));
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean)).map(Number);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

/** Reads a file of a process in /proc; empty if the process has ended. */
async function read(pid: number, file: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return text.replaceAll('\0', ' ').trim();
}
