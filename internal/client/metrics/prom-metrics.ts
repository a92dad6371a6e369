import prom from 'prom-client';
import type { Counter, Histogram, HistogramOptions, InstrumentOptions, Labels, Metrics } from './metrics.ts';

/** What an endpoint for metrics answers. */
export interface Exposition {
  contentType: string;
  text: string;
}

/** Metrics in the OpenMetrics format, together with those of Node: memory, garbage collection, and the delay of the event loop. */
export class PromMetrics implements Metrics {
  readonly #registry = new prom.Registry<prom.OpenMetricsContentType>();

  readonly #instruments = new Map<string, unknown>();

  constructor() {
    this.#registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE);
    prom.collectDefaultMetrics({ register: this.#registry as unknown as prom.Registry });
  }

  /** Lets the process that has started this one as its worker ask for these metrics, to add those of all workers up. */
  share(): void {
    prom.AggregatorRegistry.setRegistries(this.#registry as unknown as prom.Registry);
    // It answers from now on.
    new prom.AggregatorRegistry();
  }

  counter<Label extends string>({ name, help, labels = [] }: InstrumentOptions<Label>): Counter<Label> {
    return this.#once(name, () => {
      if (labels.length === 0) return this.#plainCounter(name, help);
      const counter = new prom.Counter({ ...this.#in(), name, help, labelNames: labels });
      return { add: (count, values) => counter.inc(values as Labels<Label>, count) };
    });
  }

  histogram<Label extends string>({ name, help, labels = [], buckets }: HistogramOptions<Label>): Histogram<Label> {
    return this.#once(name, () => {
      const options = { ...this.#in(), name, help, labelNames: labels, buckets: [...buckets], enableExemplars: true };
      const histogram = new prom.Histogram(options);
      return {
        observe(value, values, traceId) {
          const exemplarLabels = traceId ? { exemplarLabels: { trace_id: traceId } } : {};
          histogram.observe({ labels: (values ?? {}) as Labels<Label>, value, ...exemplarLabels } as never);
        },
      };
    });
  }

  gauge<Label extends string>(
    { name, help, labels = [] }: InstrumentOptions<Label>,
    read: Parameters<Metrics['gauge']>[1],
  ): void {
    new prom.Gauge({
      ...this.#in(),
      name,
      help,
      labelNames: labels,
      collect() {
        const value = read();
        this.reset();
        if (typeof value === 'number') return this.set(value);
        for (const each of value) this.set(each.labels as never, each.value);
      },
    });
  }

  async expose(): Promise<Exposition> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** Counted for each delivery: adding to a number costs nothing. */
  #plainCounter(name: string, help: string): Counter<never> {
    let total = 0;
    new prom.Counter({
      ...this.#in(),
      name,
      help,
      collect() {
        this.reset();
        this.inc(total);
      },
    });
    return {
      add(count) {
        total += count;
      },
    };
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

/** The metrics of all workers of this process, added up. */
export class WorkersMetrics {
  readonly #workers = new prom.AggregatorRegistry();

  async expose(): Promise<Exposition> {
    return { contentType: this.#workers.contentType, text: await this.#workers.clusterMetrics() };
  }
}
