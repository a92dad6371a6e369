import { type Counter, type Histogram, type Metrics, noMetrics, secondsBuckets } from '../../client/metrics/metrics.ts';

/** What the topics and subscriptions of a hub count together. */
export interface DeliveryCounters {
  deliveries: Counter<never>;
  /** Of the oldest message of each batch that live readers are given. */
  deliverySeconds: Histogram<never>;
  repairs: Counter<never>;
  resets: Counter<never>;
}

export function deliveryCounters(metrics: Metrics = noMetrics): DeliveryCounters {
  return {
    deliveries: metrics.counter({
      name: 'chat_deliveries_total',
      help: 'Messages, changes and covered ranges that were put into the queues of readers.',
    }),
    deliverySeconds: metrics.histogram({
      name: 'chat_delivery_seconds',
      help: 'From the time of a new message until a node gave it to its live readers, in seconds.',
      buckets: secondsBuckets,
    }),
    repairs: metrics.counter({
      name: 'chat_repairs_total',
      help: 'How often a chat had to read from the database what the bus had not brought.',
    }),
    resets: metrics.counter({
      name: 'chat_resets_total',
      help: 'Chats whose readers were led back because the database had gone back.',
    }),
  };
}
