import { Checker } from '../../internal/verify/checker/checker.ts';
import type { Verdict } from '../../internal/verify/checker/verdict.ts';
import { Random } from '../../internal/verify/clients/random.ts';
import { Journal } from '../../internal/verify/history/journal.ts';
import { Progress } from '../../internal/verify/report/progress.ts';
import { runWorkload } from '../../internal/verify/workload/run-workload.ts';
import { sleep } from '../../pkg/backoff/sleep.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { planStrike } from './faults.ts';

export interface ChaosOptions extends ClusterOptions {
  seed: number;
  durationMs: number;
  clients: number;
  /** Time between two faults, in milliseconds, on average. */
  everyMs: number;
  history: string | undefined;
  print(line: string): void;
  signal?: AbortSignal;
}

/** How late something may come when nothing has been broken for as long, in milliseconds. */
const deliveryMs = 20_000;

/**
 * Starts a cluster, has random clients use it while faults strike as the seed says, lets it come to rest, and judges. Everything is ended and
 * removed whatever happens.
 */
export async function runChaos(options: ChaosOptions): Promise<Verdict> {
  const { seed, durationMs, clients, history, print, signal } = options;
  print(`seed ${seed}: starting ${options.nodes} nodes, bus ${options.bus}, ingest ${options.ingest}`);
  const cluster = await Cluster.start(options, signal);
  const checker = new Checker();
  const progress = new Progress(print);
  const journal = new Journal((record) => {
    checker.add(record);
    progress.add(record);
  }, history);
  try {
    if (cluster.database.fillable !== true) print(`the database's disk is never filled: ${cluster.database.fillable}`);
    const prepared = Promise.withResolvers<void>();
    const workload = runWorkload(cluster.deployment, journal, {
      seed,
      clients,
      durationMs,
      paceMs: 20,
      faultsExpected: true,
      bounds: { deliveryMs, revocationMs: 1_000 },
      settleMs: 60_000,
      onPrepared: prepared.resolve,
      signal,
    });
    await Promise.race([prepared.promise, workload]);
    const faults = strikeUntil(performance.now() + durationMs, cluster, journal, options);
    await Promise.all([workload, faults]);
    return checker.finish();
  } finally {
    progress.stop();
    await cluster.stop();
    await journal.close();
  }
}

/** Up to three faults at a time. Resolves when all is mended. */
async function strikeUntil(
  endAt: number,
  cluster: Cluster,
  journal: Journal,
  { seed, everyMs, print, signal }: ChaosOptions,
): Promise<void> {
  const random = new Random(seed);
  const running = new Set<Promise<void>>();
  const begin = performance.now();
  while (performance.now() < endAt && !signal?.aborted) {
    await sleep(2 * everyMs * random.next(), signal ?? cluster.stopping);
    const { what, lastsMs, strike } = planStrike(cluster, random);
    if (running.size >= 3) await Promise.race(running);
    const at = journal.now();
    print(`${((performance.now() - begin) / 1_000).toFixed(1)} s: ${what} (${lastsMs} ms)`);
    journal.add({ kind: 'fault', at, begin: at, until: at + lastsMs, what });
    const done = strike()
      .catch((error: unknown) => print(`a fault did not work: ${(error as Error).message}`))
      .finally(() => running.delete(done));
    running.add(done);
  }
  await Promise.all(running);
  for (const link of cluster.links) link.restore();
  for (const node of cluster.nodes) if (!node.isRunning) await node.start(cluster.stopping);
}
