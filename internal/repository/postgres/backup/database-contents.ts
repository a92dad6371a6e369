import type { BackupTable } from './backup-tables.ts';

/** What a database held at one moment, besides the rows themselves. */
export interface DatabaseContents {
  /** Everything that was committed before this time is there, by the clock of the database. */
  takenAt: string;
  /** Of PostgreSQL. */
  serverVersion: string;
  /** The newest epoch; null if there was none. */
  epoch: string | null;
  /** The versions of the migrations that made the schema. */
  migrations: number[];
  tables: TableContents[];
  /** The triggers that are not switched off: the export switches its own. */
  triggers: { table: BackupTable; name: string }[];
}

export interface TableContents {
  name: BackupTable;
  /** In the order of the rows' values. */
  columns: string[];
  rows: number;
  /** The next values of the columns that PostgreSQL numbers. */
  nextValues: Record<string, string>;
}
