import { type Counter, type Metrics, noMetrics } from '../../client/metrics/metrics.ts';

/** What the relay of one sink counts. */
export interface SinkCounters {
  /** Events that the sink has acknowledged. */
  events: Counter<never>;
  failures: Counter<never>;
}

/** Adds how late the sink is, too: `lag` is read whenever somebody asks, in seconds. */
export function sinkCounters(sink: string, lag: () => number, metrics: Metrics = noMetrics): SinkCounters {
  const labels = ['sink'] as const;
  metrics.gauge(
    {
      name: 'chat_sink_lag_seconds',
      help: 'The age of the change that was exported last, or the time since the last success while exports fail; 0 when nothing waits.',
      labels,
      ofWorkers: 'max',
    },
    () => [{ labels: { sink }, value: lag() }],
  );
  const events = metrics.counter({
    name: 'chat_sink_events_total',
    help: 'Events that the sink has acknowledged.',
    labels,
  });
  const failures = metrics.counter({
    name: 'chat_sink_failures_total',
    help: 'How often changes could not be exported and were tried again.',
    labels,
  });
  return { events: events.of({ sink }), failures: failures.of({ sink }) };
}
