import prom from 'prom-client';
import { Buckets } from './buckets.ts';
import { Cells } from './cells.ts';
import type {
  Counter,
  GaugeOptions,
  Histogram,
  HistogramOptions,
  InstrumentOptions,
  Labels,
  Metrics,
} from './metrics.ts';

/** What an endpoint for metrics answers. */
export interface Exposition {
  contentType: string;
  text: string;
}

/**
 * Metrics in the OpenMetrics format, together with those of Node: memory, garbage collection, and the delay of the event loop. Counters and histograms are
 * kept here and given to prom-client when somebody asks: its own take 0.2 to 1 µs for each observation, a message about 20 µs.
 */
export class PromMetrics implements Metrics {
  readonly #registry = new prom.Registry<prom.OpenMetricsContentType>();

  readonly #instruments = new Map<string, unknown>();

  constructor() {
    this.#registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE);
    prom.collectDefaultMetrics({ register: this.#registry as unknown as prom.Registry });
  }

  /** Lets the process that has started this one as its worker ask for these metrics, to add those of all workers up. */
  share(): void {
    // In the OpenMetrics format prom-client takes `_total` off the names of counters for good, also of those that it shares.
    this.#registry.setContentType(prom.Registry.PROMETHEUS_CONTENT_TYPE as unknown as prom.OpenMetricsContentType);
    prom.AggregatorRegistry.setRegistries(this.#registry as unknown as prom.Registry);
    // It answers from now on.
    new prom.AggregatorRegistry();
  }

  counter<Label extends string>({ name, help, labels = [] }: InstrumentOptions<Label>): Counter<Label> {
    return this.#once(name, () => {
      const cells = new Cells<Label, { total: number }>(labels, () => ({ total: 0 }));
      new prom.Counter({
        ...this.#in(),
        name,
        help,
        labelNames: labels,
        collect() {
          this.reset();
          for (const each of cells.all()) this.inc(each.labels, each.content.total);
        },
      });
      return counting(cells);
    });
  }

  histogram<Label extends string>({ name, help, labels = [], buckets }: HistogramOptions<Label>): Histogram<Label> {
    return this.#once(name, () => {
      const cells = new Cells<Label, Buckets>(labels, () => new Buckets(buckets));
      const get = async () => ({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: [...cells.all()].flatMap((each) => each.content.values(name, each.labels)),
      });
      // prom-client exposes whatever has a name and `get`.
      this.#registry.registerMetric({ name, get } as unknown as prom.Metric);
      return { observe: (value, values, traceId) => cells.of(values).observe(value, traceId) };
    });
  }

  gauge<Label extends string>(
    { name, help, labels = [], ofWorkers = 'sum' }: GaugeOptions<Label>,
    read: Parameters<Metrics['gauge']>[1],
  ): void {
    new prom.Gauge({
      ...this.#in(),
      name,
      help,
      labelNames: labels,
      aggregator: ofWorkers,
      collect() {
        const value = read();
        this.reset();
        if (typeof value === 'number') return this.set(value);
        for (const each of value) this.set(each.labels as Labels<Label>, each.value);
      },
    });
  }

  async expose(): Promise<Exposition> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #once<Instrument>(name: string, create: () => Instrument): Instrument {
    const known = this.#instruments.get(name) as Instrument | undefined;
    const instrument = known ?? create();
    this.#instruments.set(name, instrument);
    return instrument;
  }

  #in(): { registers: prom.Registry[] } {
    return { registers: [this.#registry as unknown as prom.Registry] };
  }
}

function counting<Label extends string>(cells: Cells<Label, { total: number }>): Counter<Label> {
  return {
    add(count, labels) {
      cells.of(labels).total += count;
    },
    of(labels) {
      const cell = cells.of(labels);
      const counter: Counter<never> = {
        add(count) {
          cell.total += count;
        },
        of: () => counter,
      };
      return counter;
    },
  };
}

/** The metrics of all workers of this process, added up. */
export class WorkersMetrics {
  readonly #workers = new prom.AggregatorRegistry();

  async expose(): Promise<Exposition> {
    return { contentType: this.#workers.contentType, text: await this.#workers.clusterMetrics() };
  }
}
