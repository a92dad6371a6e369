/** The cursor of a chat that has changes which the sink lacks. */
export interface SinkCursor {
  chatId: string;
  /** The number of the last change that the sink has; 0 if it has none. */
  exportedSeq: number;
  /** The position of that change, as the sink gave it; 0 if it has none. */
  position: number;
  /** The chat has been deleted, and its messages with it. */
  deleted: boolean;
}

/**
 * The cursors of one sink: how far each chat has been delivered to it. Sinks do not share cursors or leases. Every method throws UNAVAILABLE
 * (STORAGE_UNAVAILABLE) when the database cannot be reached.
 */
export interface SinkCursorRepository {
  /** Records changes for this sink from now on, and counts everything that exists already as not delivered. Calling it again is harmless. */
  enable(): Promise<void>;

  /**
   * Claims up to `limit` chats that the sink lacks changes of, taking turns among all such chats. No other caller gets them for `leaseMs` milliseconds,
   * unless they are released before.
   */
  claim(limit: number, leaseMs: number): Promise<SinkCursor[]>;

  /** Moves the cursor of a claimed chat and ends the claim. Does nothing if the cursor is further already. */
  release(chat: Pick<SinkCursor, 'chatId' | 'exportedSeq' | 'position'>): Promise<void>;

  /** Removes the cursor of a claimed chat: the sink knows that the chat has been deleted. */
  forget(chatId: string): Promise<void>;
}
