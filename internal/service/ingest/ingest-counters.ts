import { type Counter, type Histogram, type Metrics, noMetrics, secondsBuckets } from '../../client/metrics/metrics.ts';

/** What the writers of all partitions of a process count together. */
export interface IngestCounters {
  /** From the acceptance of the oldest message of a batch until the batch was written. */
  lagSeconds: Histogram<never>;
  /** Messages that were set aside. */
  refused: Counter<never>;
}

export function ingestCounters(metrics: Metrics = noMetrics): IngestCounters {
  return {
    lagSeconds: metrics.histogram({
      name: 'chat_ingest_lag_seconds',
      help: 'From the acceptance of a message by JetStream until it was written to the database, in seconds.',
      buckets: secondsBuckets,
    }),
    refused: metrics.counter({
      name: 'chat_ingest_refused_total',
      help: 'Accepted messages that could not be written and were set aside in ingest.refused.',
    }),
  };
}
