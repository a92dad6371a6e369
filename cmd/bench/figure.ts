export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** The baseline: the same without what makes the service fast, measured in the same run. */
  baseline?: { what: string; value: number };
}

export interface BenchRun {
  /** Creates a database on the run's server; returns its DSN. */
  newDatabase: () => Promise<string>;
  seconds: number;
  /** A folder for files that are passed to other processes. */
  folder: string;
}

export type Scenario = (run: BenchRun) => Promise<Figure[]>;
