import { sleep } from '../../pkg/backoff/sleep.ts';
import type { Random } from '../verify/clients/random.ts';
import type { Cluster } from './cluster.ts';

/** One fault. It ends when `strike` resolves. */
export interface Strike {
  what: string;
  /** How long the fault should last, in milliseconds. */
  lastsMs: number;
  /** Whether it is a fault of PostgreSQL. There is one at a time. */
  isOfDatabase?: true;
  /** Another database takes the place of the one before, and lacks what was committed last. */
  losesCommits?: true;
  strike(): Promise<void>;
}

/** One kind of fault. */
interface Fault {
  weight: number;
  /** Chooses what to break and for how long; undefined if the cluster has no such part. */
  plan(cluster: Cluster, random: Random): Strike | undefined;
}

/** About how long it takes to copy a database and to start the copy, in milliseconds. */
const replacementMs = 2_000;

const between = (random: Random, least: number, most: number) => least + random.below(most - least);

/** All kinds of faults. A new kind is one more item. */
const faults: readonly Fault[] = [
  {
    weight: 4,
    plan(cluster, random) {
      const node = random.pick(cluster.mortals);
      const lastsMs = between(random, 200, 2_500);
      if (!node) return undefined;
      return {
        what: `kill -9 ${node.name}, start it again`,
        lastsMs,
        strike: () => node.restart('SIGKILL', () => sleep(lastsMs, cluster.stopping), cluster.stopping),
      };
    },
  },
  {
    weight: 3,
    plan(cluster, random) {
      const node = random.pick(cluster.nodes)!;
      const lastsMs = between(random, 500, 4_000);
      const [stop, go] = [() => node.signal('SIGSTOP'), () => node.signal('SIGCONT')];
      return pausing(`pause ${node.name}`, lastsMs, cluster, stop, go);
    },
  },
  {
    weight: 1.5,
    plan: (cluster) => ({
      what: 'restart the nodes, one after the other (SIGTERM)',
      lastsMs: cluster.mortals.length * 2_500,
      async strike() {
        for (const node of cluster.mortals) {
          await node.restart('SIGTERM', async () => {}, cluster.stopping);
        }
      },
    }),
  },
  {
    weight: 2,
    plan: (cluster) => ({
      what: 'kill -9 PostgreSQL',
      lastsMs: 1_500,
      isOfDatabase: true,
      async strike() {
        cluster.database.kill();
        await sleep(1_500, cluster.stopping);
      },
    }),
  },
  {
    weight: 2,
    plan(cluster, random) {
      const { database } = cluster;
      const lastsMs = between(random, 300, 3_000);
      const [stop, go] = [() => database.signal('SIGSTOP'), () => database.signal('SIGCONT')];
      return { ...pausing('pause PostgreSQL', lastsMs, cluster, stop, go), isOfDatabase: true };
    },
  },
  {
    weight: 1.5,
    plan({ database, replacement }, random) {
      const losesMs = between(random, 50, 1_500);
      return {
        what: `fail over to a standby that lacks the last ${losesMs} ms`,
        lastsMs: losesMs + replacementMs,
        isOfDatabase: true,
        losesCommits: true,
        strike: () => database.failOver(losesMs, replacement),
      };
    },
  },
  {
    weight: 1,
    plan({ database, replacement }, random) {
      const losesMs = between(random, 200, 3_000);
      return {
        what: `restore a base backup that is ${losesMs} ms old`,
        lastsMs: losesMs + replacementMs,
        isOfDatabase: true,
        losesCommits: true,
        strike: () => database.restore(losesMs, replacement),
      };
    },
  },
  {
    weight: 1,
    plan(cluster, random) {
      const { database } = cluster;
      const lastsMs = between(random, 500, 2_000);
      if (database.fillable !== true) return undefined;
      return {
        what: "fill PostgreSQL's disk",
        lastsMs,
        isOfDatabase: true,
        async strike() {
          const empty = await database.fill();
          await sleep(lastsMs, cluster.stopping);
          await empty();
        },
      };
    },
  },
  {
    weight: 3,
    plan(cluster, random) {
      const [name, broker] = random.pick([...cluster.brokers]) ?? [];
      const lastsMs = between(random, 200, 3_000);
      if (!broker) return undefined;
      return {
        what: `kill -9 ${name}, start it again`,
        lastsMs,
        async strike() {
          await broker.kill();
          await sleep(lastsMs, cluster.stopping);
          if (!cluster.stopping.aborted) await broker.restart();
        },
      };
    },
  },
  {
    weight: 2,
    plan(cluster, random) {
      const [name, broker] = random.pick([...cluster.brokers]) ?? [];
      const lastsMs = between(random, 300, 3_000);
      if (!broker) return undefined;
      const [stop, go] = [() => broker.signal('SIGSTOP'), () => broker.signal('SIGCONT')];
      return pausing(`pause ${name}`, lastsMs, cluster, stop, go);
    },
  },
  {
    weight: 5,
    plan(cluster, random) {
      const link = random.pick(cluster.links)!;
      const lastsMs = between(random, 0, 2_000);
      return pausing(
        `cut ${link.name}`,
        lastsMs,
        cluster,
        () => link.cut(),
        () => link.restore(),
      );
    },
  },
  {
    weight: 3,
    plan(cluster, random) {
      const link = random.pick(cluster.links)!;
      const lastsMs = between(random, 500, 4_000);
      return pausing(
        `silence ${link.name}`,
        lastsMs,
        cluster,
        () => link.silence(),
        () => link.restore(),
      );
    },
  },
  {
    weight: 3,
    plan(cluster, random) {
      const link = random.pick(cluster.links)!;
      const delayMs = between(random, 20, 300);
      const lastsMs = between(random, 500, 4_000);
      const slow = () => link.slow(delayMs);
      return pausing(`slow ${link.name} by ${delayMs} ms`, lastsMs, cluster, slow, () => link.restore());
    },
  },
];

/** Chooses the next fault. With `keepCommits` the database keeps what was committed. */
export function planStrike(cluster: Cluster, random: Random, keepCommits = false): Strike {
  for (;;) {
    const strike = random.weighted(faults).plan(cluster, random);
    if (strike && !(keepCommits && strike.losesCommits)) return strike;
  }
}

function pausing(what: string, lastsMs: number, { stopping }: Cluster, begin: () => void, end: () => void): Strike {
  return {
    what,
    lastsMs,
    async strike() {
      begin();
      await sleep(lastsMs, stopping);
      end();
    },
  };
}
