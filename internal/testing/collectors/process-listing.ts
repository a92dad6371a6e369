import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** What others on the machine can see of a process and all that it starts, looked at again and again. Linux only. */
export class ProcessListing {
  /** Every command line that there has been, its arguments separated by spaces. */
  readonly commandLines = new Set<string>();
  /** Every environment that a process other than the first has had. */
  readonly environments = new Set<string>();
  readonly #pid: number;
  #watching = true;

  /** Looks on until the test is over. */
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

  /** Looks once. */
  async look(): Promise<void> {
    const own = await read(this.#pid, 'cmdline');
    this.commandLines.add(own);
    for (const pid of await descendants(this.#pid)) {
      const line = await read(pid, 'cmdline');
      this.commandLines.add(line);
      // Until a child runs its program it is a copy of its parent.
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

/** Empty for a process that has gone. */
async function read(pid: number, file: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return text.replaceAll('\0', ' ').trim();
}
