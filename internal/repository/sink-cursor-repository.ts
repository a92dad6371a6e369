/** The cursor of a chat that has changes which the sink lacks. */
export interface SinkCursor {
  chatId: string;
  /** The number of the last change that the sink has; 0 if it has none. */
  exportedSeq: number;
  /** The position of that change, as the sink gave it; 0 if it has none. */
  position: number;
  /** The chat has been deleted, and its messages with it. */
  deleted: boolean;
  /** The epoch of the database in which the cursor was read. */
  epoch: string;
  /** How often the cursor was put back, to deliver the chat's changes again. */
  replay: number;
}

/** Where a cursor goes: to a change that the sink has, in this epoch. */
export type SinkPlace = Omit<SinkCursor, 'deleted'>;

/** The present epoch, and for each chat that exists the last number that is the same in it. */
export interface ValidNumbers {
  epoch: string;
  valid: Map<string, number>;
}

/**
 * The cursors of one sink: how far each chat has been delivered to it. Sinks do not share cursors or leases. Every method throws UNAVAILABLE
 * (STORAGE_UNAVAILABLE) when the database cannot be reached.
 *
 * When the database goes back, so do the cursors. What was true in another epoch is then not written: a method that is given an epoch does nothing
 * unless it is the present one.
 */
export interface SinkCursorRepository {
  /** Records changes for this sink from now on, and counts everything that exists already as not delivered. Calling it again is harmless. */
  enable(): Promise<void>;

  /**
   * Claims up to `limit` chats that the sink lacks changes of, taking turns among all such chats. No other caller gets them for `leaseMs` milliseconds,
   * unless they are released before.
   */
  claim(limit: number, leaseMs: number): Promise<SinkCursor[]>;

  /** Moves the cursor of a claimed chat and ends the claim. Does nothing if the cursor is further already, or was put back after the claim. */
  release(place: SinkPlace): Promise<void>;

  /** Moves the cursor of a chat to any place, also back, and ends the claim. */
  move(place: Omit<SinkPlace, 'replay'>): Promise<void>;

  /** Removes the cursor of a claimed chat: the sink knows that the chat has been deleted. Does nothing if the chat exists. */
  forget(chatId: string): Promise<void>;

  /** Returns up to which number what a sink was delivered in these epochs is valid. An empty epoch counts as the first one. */
  findValid(cursors: ReadonlyMap<string, string>): Promise<ValidNumbers>;

  /** Returns the present epoch if the sink was not compared with the database in it. */
  findUncheckedEpoch(): Promise<string | undefined>;

  /** Records that the sink has nothing of another epoch that is void, but for what was said by `reset`. */
  noteChecked(epoch: string): Promise<void>;
}
