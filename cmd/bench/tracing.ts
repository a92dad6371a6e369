import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Figure } from './figure.ts';
import { percentile } from './percentile.ts';
import { TracedLoad } from './traced-load.ts';

/** How long each service works in one of its turns, in milliseconds. */
const turnMs = 500;

const sends = { call: 'sent by a call', stream: 'sent in a stream' } as const;

/**
 * Measures what traces and metrics cost: the CPU time of the service for each message, which is committed, acknowledged and delivered to three readers. A
 * service for each way runs all the time; they work in turns, each time in another order.
 */
export async function measureTracing(newDatabase: () => Promise<string>, turns: number): Promise<Figure[]> {
  const collector = await startCollector();
  const { port } = collector.address() as AddressInfo;
  const traced = (ratio: number) => ({
    ADMIN_PORT: '0',
    TRACING_URL: `http://127.0.0.1:${port}`,
    TRACING_SAMPLE_RATIO: String(ratio),
  });
  const ways = {
    'neither traces nor metrics': { env: { ADMIN: 'false' } },
    // Its ratio says how much two equal services differ on this machine.
    'neither, once more': { env: { ADMIN: 'false' } },
    'metrics alone': { env: { ADMIN_PORT: '0' } },
    'metrics and traces of 1 %': { env: traced(0.01), oneOfAHundred: true },
    'metrics and traces of 100 %': { env: traced(1) },
  };
  const loads: [string, TracedLoad][] = [];
  try {
    for (const [name, { env, ...way }] of Object.entries(ways)) {
      loads.push([name, await TracedLoad.start(await newDatabase(), env, way)]);
    }
    const figures: Figure[] = [];
    for (const [how, what] of Object.entries(sends) as [keyof typeof sends, string][]) {
      for (const [, load] of loads) await load.run(how, turnMs);
      const micros: number[][] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        const round: number[] = [];
        for (let i = 0; i < loads.length; i += 1) {
          const at = (turn + i) % loads.length;
          round[at] = await loads[at]![1].run(how, turnMs);
        }
        micros.push(round);
      }
      figures.push(...compare(`a message ${what}`, Object.keys(ways), micros));
    }
    return figures;
  } finally {
    for (const [, load] of loads) await load.stop();
    collector.close();
    collector.closeAllConnections();
  }
}

/** Compares each way with the first. Ratios are of the turns of one round, which other work on the machine disturbs alike; medians leave out the rest. */
function compare(what: string, ways: readonly string[], rounds: readonly number[][]): Figure[] {
  const median = (pick: (round: number[]) => number) => percentile(rounds.map(pick), 0.5);
  const baseline = { what: ways[0]!, value: median(([floor]) => floor!) };
  return ways.slice(1).map((way, i) => ({
    what: `${what}, ${way}: service's processor time`,
    value: baseline.value * median((round) => round[i + 1]! / round[0]!),
    unit: 'µs',
    baseline,
  }));
}

/** A collector that answers that it has the spans, and drops them. */
async function startCollector(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
