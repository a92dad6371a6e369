/** A chat that has changes which are not exported yet. */
export interface ChatToExport {
  chatId: string;
  /** The number of the last change that was exported; 0: none. */
  exportedSeq: number;
  /** Where that one stands in the stream; 0: nowhere. */
  position: number;
  /** The chat is no more; its messages are gone with it. */
  deleted: boolean;
}

/** How far each chat has been exported. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the database cannot be reached. */
export interface ExportRepository {
  /** Has changes noted from now on; those from before count as not exported. Harmless when it is so already. */
  enable(): Promise<void>;

  /** Some chats that have something to export, in turn. For so long no other caller is given them, unless they are released. */
  claim(limit: number, leaseMs: number): Promise<ChatToExport[]>;

  /** Notes how far a claimed chat has come, and releases it. */
  release(chat: Pick<ChatToExport, 'chatId' | 'exportedSeq' | 'position'>): Promise<void>;

  /** The end of a claimed chat has been exported. */
  forget(chatId: string): Promise<void>;
}
