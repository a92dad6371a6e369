/** A sink of exported changes, as the database knows it. Counts stop at `atMost`. */
export interface SinkState {
  name: string;
  enabled: boolean;
  /** Chats with changes that the sink lacks. */
  waitingChats: number;
  /** Chats that are older than the sink and have no cursor yet; 0 once all have one. */
  chatsToRegister: number;
  /** The age of the oldest change that a waiting chat still has to deliver, of the chats that were looked at; null if none waits. */
  lagSeconds: number | null;
}

/** Work that goes on in the background, and how much of it is left. */
export interface BackgroundWork {
  sinks: SinkState[];
  /** Deleted chats whose messages are not all removed yet. */
  deletedChats: number;
  /** Where the counts stop. */
  atMost: number;
}
