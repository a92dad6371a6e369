import type { AcceptedMessage } from '../../model/message.ts';

/** What became of a message that was to be appended. */
export type AppendResult =
  /** The log has stored it. */
  | { outcome: 'appended' }
  /** The log has a message with the same chat, sender and client_message_id already: `first`. It may be this one, if an answer was lost. */
  | { outcome: 'duplicate'; first: AcceptedMessage }
  /** The log has no room. It did not store the message. */
  | { outcome: 'full' }
  /** The log may or may not have stored it. Appending it again is safe. */
  | { outcome: 'unavailable'; cause: unknown };

/** One entry of a partition. */
export interface LogEntry {
  /** Its number in the log. Positions rise within a partition, with gaps. */
  position: number;
  /** Absent if the entry cannot be decoded. */
  message: AcceptedMessage | undefined;
  body: Uint8Array;
}

/** An entry and the partition that it belongs to. */
export interface FoundEntry extends LogEntry {
  partition: number;
}

/** The log as it is now. */
export interface LogState {
  name: string;
  /** Identifies the log: a log that was deleted and created again has another time, and its positions begin at 1 again. */
  createdAt: string;
  /** The position of the newest entry that was ever appended; 0 if there was none. */
  lastPosition: number;
  /** How many entries the log has. */
  entries: number;
  /** It takes new messages. */
  isOpen: boolean;
}

/** The entries of one partition in order: those that the log has, and then new ones as they are appended. */
export interface PartitionReader extends AsyncIterable<readonly LogEntry[]> {
  /** How many entries of the log have not been read yet. */
  readonly waiting: number;
  /** Ends the iteration. Twice is harmless. */
  close(): Promise<void>;
}

/**
 * A durable log of accepted messages, which are not written to the database yet. It has partitions, and a chat belongs to the same partition for ever.
 * Reading does not remove entries; `trim` does.
 */
export interface IngestLog {
  readonly partitions: number;

  /** The partition of a chat. */
  partitionOf(chatId: string): number;

  /** Throws if the log cannot be reached. */
  state(): Promise<LogState>;

  /**
   * Appends messages at the same time and returns the results in their order. Never throws. Messages of one chat are appended in the order of the array.
   * For a limited time the log recognises a message that it has already, by its id.
   */
  append(messages: readonly AcceptedMessage[]): Promise<AppendResult[]>;

  /**
   * Appends an entry that was read before, also if the log still recognises its message. Never throws. For a limited time the log recognises an entry that
   * is appended again under the same key.
   */
  appendAgain(body: Uint8Array, key: string): Promise<AppendResult | { outcome: 'unreadable' }>;

  /**
   * Reads the entries after a position, in batches of at most `limit`. The iteration throws when the connection to the log breaks, since entries may
   * have been lost then: read again from the last position.
   */
  read(partition: number, afterPosition: number, limit: number): PartitionReader;

  /** The entry at a position, of any partition; undefined if the log does not have it, or no longer. */
  find(position: number): Promise<FoundEntry | undefined>;

  /** The position of a partition's newest entry; 0 if the log has none. */
  findEnd(partition: number): Promise<number>;

  /** Opens the log to new messages, or closes it: then `append` answers `unavailable`, from every process, and stores nothing. */
  setOpen(isOpen: boolean): Promise<void>;

  /** Removes a partition's entries up to and including a position. */
  trim(partition: number, throughPosition: number): Promise<void>;

  /** Ends all readers and the connection. */
  close(): Promise<void>;
}
