/** Units of values, by the names that Grafana gives them. */
export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'ops' | 'dateTimeAsIso';

/** One query of a panel. */
export interface Query {
  /** PromQL with the placeholders of `toPromql`. */
  query: string;
  /** The name of each series, with its labels in double braces. */
  legend: string;
}

/** One chart or number. */
export interface Panel {
  title: string;
  /** What the values mean, and what is usual. */
  description: string;
  unit: Unit;
  /** `number` shows the newest value alone. Default: lines over time. */
  kind?: 'lines' | 'number';
  queries: readonly Query[];
  /** The uid of the dashboard that shows the causes. */
  causes?: string;
}

export interface Row {
  title: string;
  panels: readonly Panel[];
}

export interface Dashboard {
  /** Never changes: alerts, pages and bookmarks lead to it. */
  uid: string;
  title: string;
  /** The questions that it answers. */
  description: string;
  /** Whether it shows one process at a time. */
  ofOneNode?: boolean;
  rows: readonly Row[];
}
