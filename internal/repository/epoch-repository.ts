/**
 * The history that the numbers of chats belong to. When the database goes back, by a failover to a standby that lacked the last commits or by a restore
 * from a backup, it gives out numbers again that readers have seen: a new epoch begins.
 */
export interface EpochRepository {
  /** The id of the present epoch, as the newest connection to the database has found it. */
  readonly current: string;

  /** Looks at the epoch again. Throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached. */
  refresh(): Promise<void>;

  /** Calls the listener whenever `current` has changed. */
  onChange(listener: () => void): void;

  /**
   * Returns, for each chat with the epoch of a cursor, the last number that is the same in the present epoch; nothing for a chat that does not exist. Every
   * later number may mean something else now. Throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
   */
  findValid(cursors: ReadonlyMap<string, string>): Promise<Map<string, number>>;
}
