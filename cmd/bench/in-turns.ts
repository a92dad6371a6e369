import { percentile } from './percentile.ts';

export interface RequestLoad {
  /** Requests under way at the same time. */
  concurrency: number;
  warmUpMs: number;
  durationMs: number;
}

export interface RequestResult {
  perSecond: number;
  p99Ms: number;
  /** CPU time of the service for each request, in microseconds. */
  serviceMicros: number;
  /** CPU time of PostgreSQL for each request, in microseconds. 0 if PostgreSQL is not measured. */
  postgresMicros: number;
}

/** Makes one request; resolves with its answer. `worker` counts the requests under way at the same time from 0. */
export type Ask = (worker: number) => Promise<unknown>;

/** What is measured: each tells the CPU time that it has used so far, in microseconds. */
export interface MeasuredParts {
  service: { cpuMicros(): number };
  postgres?: { cpuMicros(): number };
}

/** The measurements of one kind of request. */
interface Tally {
  latencies: number[];
  elapsedMs: number;
  serviceMicros: number;
  postgresMicros: number;
}

const turns = 5;

/** Alternates between kinds of requests, so that other load on the machine affects all alike. */
export async function measureInTurns<Way extends string>(
  { service, postgres }: MeasuredParts,
  ways: Record<Way, Ask>,
  { concurrency, warmUpMs, durationMs }: RequestLoad,
): Promise<Record<Way, RequestResult>> {
  const names = Object.keys(ways) as Way[];
  const tallies = Object.fromEntries(
    names.map((name) => [name, { latencies: [], elapsedMs: 0, serviceMicros: 0, postgresMicros: 0 }]),
  ) as unknown as Record<Way, Tally>;
  const used = () => ({ service: service.cpuMicros(), postgres: postgres?.cpuMicros() ?? 0 });
  for (const name of names) await askFor(ways[name], concurrency, warmUpMs);
  for (let turn = 0; turn < turns; turn += 1) {
    for (const name of names) {
      const tally = tallies[name];
      const before = used();
      const begun = performance.now();
      for (const ms of await askFor(ways[name], concurrency, durationMs / turns)) tally.latencies.push(ms);
      tally.elapsedMs += performance.now() - begun;
      const after = used();
      tally.serviceMicros += after.service - before.service;
      tally.postgresMicros += after.postgres - before.postgres;
    }
  }
  const results = names.map((name) => [name, toResult(tallies[name])]);
  return Object.fromEntries(results) as Record<Way, RequestResult>;
}

/** Keeps `concurrency` requests under way for a time. Returns how long each took, in milliseconds. */
async function askFor(ask: Ask, concurrency: number, durationMs: number): Promise<number[]> {
  const until = performance.now() + durationMs;
  const latencies: number[] = [];
  const keepAsking = async (_: unknown, worker: number) => {
    for (let asked = performance.now(); asked < until; asked = performance.now()) {
      await ask(worker);
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, keepAsking));
  return latencies;
}

function toResult({ latencies, elapsedMs, serviceMicros, postgresMicros }: Tally): RequestResult {
  return {
    perSecond: latencies.length / (elapsedMs / 1_000),
    p99Ms: percentile(latencies, 0.99),
    serviceMicros: serviceMicros / latencies.length,
    postgresMicros: postgresMicros / latencies.length,
  };
}
