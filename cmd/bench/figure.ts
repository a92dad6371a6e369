export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** The same measured without what makes the service fast, in the same run. */
  baseline?: { what: string; value: number };
}

export interface BenchRun {
  /** A new database on the run's server; returns its DSN. */
  newDatabase: () => Promise<string>;
  seconds: number;
  /** For what is passed to other processes. */
  folder: string;
}

export type Scenario = (run: BenchRun) => Promise<Figure[]>;
