/** An entry of the ingest log that was set aside, because the database could not hold its message. */
export interface RefusedEntry {
  /** Rises in the order in which entries were set aside. */
  id: number;
  at: Date;
  partition: number;
  reason: string;
  body: Uint8Array;
}

/** The entries that were set aside. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the database cannot be reached. */
export interface RefusedEntryRepository {
  /** Returns the first `limit` entries after an id, in the order of their ids. */
  list(afterId: number, limit: number): Promise<RefusedEntry[]>;

  /** Returns the highest id; 0 if there is no entry. */
  findLastId(): Promise<number>;

  /**
   * Calls `work` with the first entry after `afterId` and up to `throughId`, and removes the entry if `work` resolves with true. Returns the entry;
   * undefined if there is none. Callers of all processes take turns. Throws what `work` throws, and then keeps the entry.
   */
  take(
    range: { afterId: number; throughId: number },
    work: (entry: RefusedEntry) => Promise<boolean>,
  ): Promise<RefusedEntry | undefined>;
}
