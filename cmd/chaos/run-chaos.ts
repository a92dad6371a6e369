import { Cluster, type ClusterOptions } from '../../internal/cluster/cluster.ts';
import type { Replacement } from '../../internal/cluster/database.ts';
import { strikeUntil } from '../../internal/cluster/strike-until.ts';
import { Checker } from '../../internal/verify/checker/checker.ts';
import type { Verdict } from '../../internal/verify/checker/verdict.ts';
import type { World } from '../../internal/verify/clients/world.ts';
import { Journal } from '../../internal/verify/history/journal.ts';
import { Progress } from '../../internal/verify/report/progress.ts';
import { runWorkload } from '../../internal/verify/workload/run-workload.ts';

export interface ChaosOptions extends ClusterOptions {
  seed: number;
  durationMs: number;
  clients: number;
  /** The average time between two faults, in milliseconds. */
  everyMs: number;
  history: string | undefined;
  print(line: string): void;
  signal?: AbortSignal;
}

/** How late a message may arrive once there has been no fault for the same time, in milliseconds. */
const deliveryMs = 20_000;

/**
 * Starts a cluster, lets random clients use it while faults strike as the seed determines, waits until it has recovered, and judges the
 * history. Ends and removes everything in every case.
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
    const prepared = Promise.withResolvers<World>();
    const struck = Promise.withResolvers<void>();
    const workload = runWorkload(cluster.deployment, journal, {
      seed,
      clients,
      durationMs,
      paceMs: 20,
      faultsExpected: true,
      bounds: { deliveryMs, revocationMs: 1_000 },
      settleMs: 60_000,
      onPrepared: prepared.resolve,
      // What is read at the end must not be lost afterwards.
      onActed: () => struck.promise,
      signal,
    });
    const world = await Promise.race([prepared.promise, workload]);
    if (world) cluster.replacement = recordReplacement(journal, world, print);
    const faults = strikeUntil(performance.now() + durationMs, cluster, journal, options).finally(struck.resolve);
    await Promise.all([workload, faults]);
    return checker.finish();
  } finally {
    progress.stop();
    await cluster.stop();
    await journal.close();
  }
}

/** Records what a new primary has before clients can reach it, and tells them which chats there are. */
function recordReplacement(journal: Journal, world: World, print: (line: string) => void): Replacement {
  let begin = 0;
  return {
    begins: () => {
      begin = journal.now();
    },
    found: ({ epoch, chats }) => {
      const lastSeqs = Object.fromEntries([...chats].map(([id, { lastSeq }]) => [id, lastSeq]));
      world.goBack(chats);
      journal.add({ kind: 'epoch', begin, at: journal.now(), epoch, chats: lastSeqs });
      print(`the epoch ${epoch} begins: ${chats.size} chats`);
    },
  };
}
