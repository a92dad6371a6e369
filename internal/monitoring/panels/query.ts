import type { Query } from './panel.ts';

interface Scope {
  /** The matchers of the series of some processes, such as `job="chat"`. */
  nodes: string;
  /** The range of rates, such as `1m`. It must span at least two scrapes. */
  window: string;
}

/** Fills in the placeholders of a query: `$nodes` and `$window`. */
export function toPromql(query: string, { nodes, window }: Scope): string {
  return query.replaceAll('$nodes', nodes).replaceAll('$window', window);
}

interface Selection {
  /** Labels that are kept, separated by commas. All others are summed up. */
  by?: string;
  /** Further matchers, such as `state="live"`. */
  where?: string;
}

/** The sum of a gauge. */
export function total(metric: string, { by, where }: Selection = {}): string {
  return `sum${keeping(by)}(${series(metric, where)})`;
}

/** How much a counter grows each second. */
export function rate(metric: string, { by, where }: Selection = {}): string {
  return `sum${keeping(by)}(rate(${series(metric, where)}[$window]))`;
}

/** The value that a share of a histogram's observations does not exceed. */
export function quantile(share: number, metric: string, { by, where }: Selection = {}): string {
  const labels = by === undefined ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, ${rate(`${metric}_bucket`, { by: labels, where })})`;
}

/** The average of a histogram's observations. */
export function average(metric: string, selection: Selection = {}): string {
  return `${rate(`${metric}_sum`, selection)} / ${rate(`${metric}_count`, selection)}`;
}

/** 0 where there is no series at all, as of counters whose first event has not happened. */
export function orZero(query: string): string {
  return `${query} or on() vector(0)`;
}

/** The median and the 99th percentile of a histogram. */
export function percentiles(metric: string, selection: Selection = {}): Query[] {
  const suffix = selection.by === undefined ? '' : `, {{${selection.by}}}`;
  return [
    { query: quantile(0.5, metric, selection), legend: `p50${suffix}` },
    { query: quantile(0.99, metric, selection), legend: `p99${suffix}` },
  ];
}

/** The series of a metric. */
export function series(metric: string, where?: string): string {
  return `${metric}{$nodes${where === undefined ? '' : `,${where}`}}`;
}

function keeping(by: string | undefined): string {
  return by === undefined ? '' : ` by (${by}) `;
}
