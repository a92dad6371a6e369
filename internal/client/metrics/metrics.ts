/**
 * Counts and times of what the process does. An instrument is made at start, and is cheap to use; those of one name are one. Its name and labels follow the conventions of
 * Prometheus: names in snake_case with their unit at the end, `_total` for counters.
 *
 * The values of a label must come from a closed list: every new value costs memory for as long as the process lives.
 */
export interface Metrics {
  counter<Label extends string = never>(options: InstrumentOptions<Label>): Counter<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /** A value that is read whenever somebody asks for the metrics: a number, or one for each set of label values. */
  gauge<Label extends string = never>(options: GaugeOptions<Label>, read: () => GaugeValue<Label>): void;
}

export interface InstrumentOptions<Label extends string> {
  name: string;
  /** What it counts, as one sentence. */
  help: string;
  labels?: readonly Label[];
}

export interface GaugeOptions<Label extends string> extends InstrumentOptions<Label> {
  /** What the value of several workers together is; by default the sum. */
  ofWorkers?: 'sum' | 'min' | 'max';
}

export interface HistogramOptions<Label extends string> extends InstrumentOptions<Label> {
  /** The upper bounds of its buckets, in ascending order. */
  buckets: readonly number[];
}

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

export type GaugeValue<Label extends string> = number | readonly { labels: Labels<Label>; value: number }[];

export interface Counter<Label extends string> {
  add(count: number, labels?: Labels<Label>): void;
  /** The counter of these labels alone, for code that counts often. */
  of(labels: Labels<Label>): Counter<never>;
}

export interface Histogram<Label extends string> {
  /** `traceId` leads from the metric to an example, where the format can hold it. */
  observe(value: number, labels?: Labels<Label>, traceId?: string): void;
}

/** Seconds: from what a process does by itself to what a user gives up on. */
export const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

const uncounted = { add() {}, observe() {}, of: () => uncounted };

/** Counts nothing. */
export const noMetrics: Metrics = { counter: () => uncounted, histogram: () => uncounted, gauge() {} };
