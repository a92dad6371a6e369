import { parseSamples } from '../../pkg/prometheus-text/parse-samples.ts';
import { quantities } from './quantities.ts';

/** What the metrics of one node have said at one time. */
export interface Reading {
  /** Milliseconds since the first reading. */
  at: number;
  /** By the name of the quantity. */
  values: Readonly<Record<string, number>>;
}

/** The life of one process of a node, from its start to its end. */
export interface Life {
  node: string;
  readings: Reading[];
}

interface Target {
  name: string;
  metricsUrl: string;
}

/** Reads the metrics of each node regularly. A node that does not answer is left out. */
export class Sampler {
  readonly #lives = new Map<string, Life>();
  readonly #targets: readonly Target[];
  readonly #timer: NodeJS.Timeout;
  readonly #begun = performance.now();

  constructor(targets: readonly Target[], everyMs: number) {
    this.#targets = targets;
    this.#timer = setInterval(() => void this.#readAll(everyMs), everyMs);
  }

  /** All processes that were seen, in the order in which they were seen first. */
  get lives(): readonly Life[] {
    return [...this.#lives.values()];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #readAll(timeoutMs: number): Promise<void> {
    await Promise.all(this.#targets.map((target) => this.#read(target, timeoutMs).catch(() => {})));
  }

  async #read({ name, metricsUrl }: Target, timeoutMs: number): Promise<void> {
    const response = await fetch(metricsUrl, { signal: AbortSignal.timeout(timeoutMs) });
    const samples = parseSamples(await response.text());
    // Another start is another process.
    const started = samples.find((sample) => sample.name === 'process_start_time_seconds')?.value;
    const key = `${name} ${started}`;
    const life = this.#lives.get(key) ?? { node: name, readings: [] };
    this.#lives.set(key, life);
    const values = Object.fromEntries(quantities.map((quantity) => [quantity.name, quantity.read(samples)]));
    life.readings.push({ at: performance.now() - this.#begun, values });
  }
}
