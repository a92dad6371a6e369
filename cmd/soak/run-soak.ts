import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type ClusterOptions } from '../../internal/cluster/cluster.ts';
import { regularGc } from '../../internal/cluster/regular-gc.ts';
import { strikeUntil } from '../../internal/cluster/strike-until.ts';
import { Checker } from '../../internal/verify/checker/checker.ts';
import type { Verdict } from '../../internal/verify/checker/verdict.ts';
import type { HistoryRecord } from '../../internal/verify/history/history-record.ts';
import { Journal } from '../../internal/verify/history/journal.ts';
import { runWorkload } from '../../internal/verify/workload/run-workload.ts';
import { Load } from './load.ts';
import { quantities } from './quantities.ts';
import { type Life, Sampler } from './sampler.ts';
import { findGrowth, type Growth } from './trend.ts';

export interface SoakOptions extends Pick<ClusterOptions, 'bus' | 'ingest' | 'logs'> {
  seed: number;
  durationMs: number;
  /** Clients that send. */
  clients: number;
  /** The share of the measured rate that is sent. */
  loadShare: number;
  /** The average time between two faults, in milliseconds. */
  everyMs: number;
  print(line: string): void;
  signal?: AbortSignal;
}

/** How one quantity of one process has developed. */
export interface Finding {
  node: string;
  quantity: string;
  growth: Growth;
}

export interface SoakResult {
  /** Messages per second that the nodes took at the most, and that were sent. */
  rates: { most: number; sent: number };
  acknowledged: number;
  received: number;
  /** Messages without an answer at the end, and the reason of the first that was refused. */
  unanswered: number;
  failure: string | undefined;
  /** Of the processes that lasted for most of the run. */
  findings: Finding[];
  verdict: Verdict;
  lives: readonly Life[];
  /** The faults: milliseconds since the first reading, and what was done. */
  faults: { at: number; what: string }[];
}

const nodes = 3;
/** Nodes that are never ended. */
const lasting = 2;
/** How long the load is measured, in milliseconds. */
const measureMs = 8_000;
/** Clients that do everything that can be done, at a pace that leaves the load to the others. */
const randomClients = 6;
const paceMs = 200;
const settleMs = 60_000;
/** How often metrics are read: a hundred times in a run, but within these limits in milliseconds. */
const sampling = { share: 0.01, leastMs: 250, mostMs: 5_000 };
/** The share of the run that a process must have lasted to be judged. */
const longShare = 0.7;

/** Runs it all, and removes what it has started in every case. Throws if the cluster does not start or the signal aborts before there is load. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { seed, durationMs, print, signal } = options;
  print(`seed ${seed}: starting ${nodes} nodes, bus ${options.bus}, ingest ${options.ingest}`);
  const cluster = await Cluster.start({ ...options, nodes, lasting, nodeOptions: regularGc }, signal);
  const sampleMs = Math.min(Math.max(durationMs * sampling.share, sampling.leastMs), sampling.mostMs);
  const sampler = new Sampler(cluster.nodes, sampleMs);
  const begun = performance.now();
  const checker = new Checker();
  const faults: SoakResult['faults'] = [];
  const journal = new Journal((record: HistoryRecord) => {
    checker.add(record);
    if (record.kind === 'fault') faults.push({ at: performance.now() - begun, what: record.what });
  });
  let load: Load | undefined;
  try {
    load = await Load.start({ nodes: cluster.deployment.grpc, clients: options.clients });
    const rates = await measureRate(load, options);
    const running = load;
    const progress = setInterval(() => print(lineOf(running, performance.now() - begun, faults.length)), 15_000);
    const struck = Promise.withResolvers<void>();
    const workload = runWorkload(cluster.deployment, journal, {
      seed,
      clients: randomClients,
      durationMs,
      paceMs,
      faultsExpected: true,
      bounds: { deliveryMs: 20_000, revocationMs: 1_000 },
      settleMs,
      onActed: () => struck.promise,
      signal,
    });
    const endAt = performance.now() + durationMs;
    const strikes = strikeUntil(endAt, cluster, journal, { ...options, keepCommits: true }).finally(struck.resolve);
    await Promise.all([workload, strikes]).finally(() => clearInterval(progress));
    const unanswered = await load.stop(settleMs);
    const { acknowledged, received, failure } = load;
    return {
      rates,
      acknowledged,
      received,
      unanswered,
      failure: failure instanceof Error ? failure.message : undefined,
      findings: judge(sampler.lives),
      verdict: checker.finish(),
      lives: sampler.lives,
      faults,
    };
  } finally {
    sampler.stop();
    // Also when the run has failed: nothing is sent any more.
    await load?.stop(0);
    await cluster.stop();
    await journal.close();
  }
}

async function measureRate(load: Load, { loadShare, print, signal }: SoakOptions): Promise<SoakResult['rates']> {
  load.setRate(Number.POSITIVE_INFINITY);
  const before = load.acknowledged;
  const begun = performance.now();
  await sleep(measureMs, undefined, { signal });
  const most = ((load.acknowledged - before) / (performance.now() - begun)) * 1_000;
  const sent = most * loadShare;
  print(`the nodes take ${Math.round(most)} messages per second; sending ${Math.round(sent)}`);
  load.setRate(sent);
  return { most, sent };
}

function lineOf({ acknowledged, received }: Load, ms: number, faults: number): string {
  return `${Math.round(ms / 1_000)} s: ${acknowledged} messages acknowledged, ${received} received, ${faults} faults`;
}

/** Judges the processes that lasted for most of the run. */
function judge(lives: readonly Life[]): Finding[] {
  const longest = Math.max(0, ...lives.map(({ readings }) => readings.length));
  return lives
    .filter(({ readings }) => readings.length >= longest * longShare)
    .flatMap(({ node, readings }) =>
      quantities.flatMap(({ name, floor }) => {
        if (floor === undefined) return [];
        const growth = findGrowth(
          readings.map(({ at, values }) => ({ at, value: values[name]! })),
          floor,
        );
        return growth ? [{ node, quantity: name, growth }] : [];
      }),
    );
}
