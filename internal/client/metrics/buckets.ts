/** An observed value that leads to its trace. */
export interface Exemplar {
  labelSet: { trace_id: string };
  value: number;
  /** Seconds since 1970. */
  timestamp: number;
}

/** One series of a value that a format of Prometheus shows. */
export interface BucketValue {
  metricName: string;
  labels: Readonly<Record<string, string | number>>;
  value: number;
  exemplar?: Exemplar | undefined;
}

/** The observations of one series of a histogram. */
export class Buckets {
  readonly #bounds: readonly number[];
  /** One more than bounds: the last is for values above all bounds. */
  readonly #counts: number[];
  readonly #exemplars: (Exemplar | undefined)[] = [];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number, traceId: string | undefined): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#sum += value;
    if (traceId)
      this.#exemplars[bucket] = { labelSet: { trace_id: traceId }, value, timestamp: Math.round(Date.now()) / 1_000 };
  }

  /** The cumulative counts, the sum and the count, as they are exposed. */
  values(name: string, labels: Readonly<Record<string, string>>): BucketValue[] {
    let count = 0;
    const buckets = this.#counts.map((own, bucket): BucketValue => {
      count += own;
      const le = this.#bounds[bucket] ?? '+Inf';
      const exemplar = this.#exemplars[bucket];
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count, exemplar };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
