import { sleep } from '../../pkg/backoff/sleep.ts';
import { Random } from '../verify/clients/random.ts';
import type { Journal } from '../verify/history/journal.ts';
import type { Cluster } from './cluster.ts';
import { planStrike } from './faults.ts';

interface StrikeOptions {
  /** Determines the faults. */
  seed: number;
  /** The average time between two faults, in milliseconds. */
  everyMs: number;
  /** Leaves out faults after which the database lacks what was committed. */
  keepCommits?: boolean;
  print(line: string): void;
  signal?: AbortSignal;
}

/** Injects up to three faults at a time. Resolves when all of them have ended. */
export async function strikeUntil(
  endAt: number,
  cluster: Cluster,
  journal: Journal,
  { seed, everyMs, keepCommits = false, print, signal }: StrikeOptions,
): Promise<void> {
  const random = new Random(seed);
  const running = new Set<Promise<void>>();
  let ofDatabase: Promise<void> | undefined;
  const begin = performance.now();
  while (performance.now() < endAt && !signal?.aborted) {
    await sleep(2 * everyMs * random.next(), signal ?? cluster.stopping);
    const { what, lastsMs, isOfDatabase, strike } = planStrike(cluster, random, keepCommits);
    if (running.size >= 3) await Promise.race(running);
    if (isOfDatabase) await ofDatabase;
    const at = journal.now();
    print(`${((performance.now() - begin) / 1_000).toFixed(1)} s: ${what} (${lastsMs} ms)`);
    journal.add({ kind: 'fault', at, begin: at, until: at + lastsMs, what });
    const done = strike()
      .catch((error: unknown) => print(`a fault did not work: ${(error as Error).message}`))
      .finally(() => running.delete(done));
    running.add(done);
    if (isOfDatabase) ofDatabase = done;
  }
  await Promise.all(running);
  for (const link of cluster.links) link.restore();
  for (const node of cluster.nodes) if (!node.isRunning) await node.start(cluster.stopping);
}
