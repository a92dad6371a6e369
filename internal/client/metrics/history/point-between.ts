import { parseSamples, type Sample } from '../../../../pkg/prometheus-text/parse-samples.ts';
import type { MetricPoint } from './metric-point.ts';

/** A reading of the metrics. */
export interface Reading {
  at: number;
  samples: readonly Sample[];
}

export function readSamples(text: string, at: number): Reading {
  return { at, samples: parseSamples(text) };
}

/** Returns what happened between two readings of one process. */
export function pointBetween(before: Reading, after: Reading): MetricPoint {
  const seconds = Math.max((after.at - before.at) / 1_000, 0.001);
  const rate = (name: string) => (sum(after, name) - sum(before, name)) / seconds;
  const refused = by(before, 'chat_refusals_total', 'reason');
  const refusals = [...by(after, 'chat_refusals_total', 'reason')]
    .map(([reason, count]) => [reason, (count - (refused.get(reason) ?? 0)) / seconds] as const)
    .filter(([, perSecond]) => perSecond > 0);
  return {
    at: after.at,
    messagesPerSecond: rate('chat_messages_saved_total'),
    deliveriesPerSecond: rate('chat_deliveries_total'),
    acknowledgementP50Ms: quantileMs(before, after, 'chat_acknowledgement_seconds', 0.5),
    acknowledgementP99Ms: quantileMs(before, after, 'chat_acknowledgement_seconds', 0.99),
    deliveryP99Ms: quantileMs(before, after, 'chat_delivery_seconds', 0.99),
    eventLoopP99Ms: toMs(value(after, 'nodejs_eventloop_lag_p99_seconds')),
    residentBytes: value(after, 'process_resident_memory_bytes'),
    heapUsedBytes: value(after, 'nodejs_heap_size_used_bytes'),
    sessions: Object.fromEntries(by(after, 'chat_sessions', 'transport')),
    refusalsPerSecond: Object.fromEntries(refusals),
  };
}

function sum({ samples }: Reading, name: string): number {
  return samples.reduce((total, sample) => total + (sample.name === name ? sample.value : 0), 0);
}

function value({ samples }: Reading, name: string): number | null {
  return samples.find((sample) => sample.name === name)?.value ?? null;
}

/** The sums of a metric, by the value of a label. */
function by({ samples }: Reading, name: string, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const key = sample.labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + sample.value);
  }
  return sums;
}

/** The upper bound of the bucket in which the quantile of what was observed between the readings is; null if nothing was. */
function quantileMs(before: Reading, after: Reading, name: string, quantile: number): number | null {
  const earlier = by(before, `${name}_bucket`, 'le');
  const buckets = [...by(after, `${name}_bucket`, 'le')]
    .map(([bound, count]) => ({
      bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
      count: count - (earlier.get(bound) ?? 0),
    }))
    .toSorted((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const index = buckets.findIndex(({ count }) => count >= total * quantile);
  const { bound } = buckets[index]!;
  // Beyond the last bound only that bound is known.
  return toMs(Number.isFinite(bound) ? bound : (buckets[index - 1]?.bound ?? null));
}

function toMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1_000;
}
