import type { AcceptedMessage } from '../../model/message.ts';

/** What became of a message that was to be kept. */
export type AppendResult =
  | { outcome: 'kept' }
  /** It is there already: this is what was kept first under the same sender and client_message_id. */
  | { outcome: 'known'; first: AcceptedMessage }
  /** There is no room. */
  | { outcome: 'full' }
  /** Not known to be kept: trying again is harmless. */
  | { outcome: 'unavailable'; cause: unknown };

/** One entry of a partition. */
export interface LogEntry {
  /** Its number in the log; rises within a partition, with gaps. */
  position: number;
  /** Absent if the entry cannot be read. */
  message: AcceptedMessage | undefined;
  body: Uint8Array;
}

/** An entry that was found by its position alone. */
export interface FoundEntry extends LogEntry {
  partition: number;
}

/** The log as it is now. */
export interface LogState {
  name: string;
  /** Another time means another log under the same name, which counts from 1. */
  createdAt: string;
  /** Of the newest entry there has been, 0 if none. */
  lastPosition: number;
  /** What it holds. */
  entries: number;
}

/** Entries of one partition in their order, as they come. */
export interface PartitionReader extends AsyncIterable<readonly LogEntry[]> {
  /** Entries that wait in the log and have not been read. */
  readonly waiting: number;
  /** Ends the iteration. Twice is harmless. */
  close(): Promise<void>;
}

/**
 * Accepted messages, kept durably until they have been written: a log in partitions, of which a chat has one for ever. Entries stay
 * after they have been read.
 */
export interface IngestLog {
  readonly partitions: number;

  /** Throws if the log cannot be asked. */
  state(): Promise<LogState>;

  /**
   * Keeps messages, all at once; answers in their order, never throws. Messages of one chat are kept in the order of the array. Whoever
   * repeats a message within the time for which repetitions are recognised is told the first.
   */
  append(messages: readonly AcceptedMessage[]): Promise<AppendResult[]>;

  /**
   * Reads what comes after a position, in batches of at most `limit`: what is there at the moment, or else what comes first. The iteration throws when
   * the log is lost sight of; begin another one then.
   */
  read(partition: number, afterPosition: number, limit: number): PartitionReader;

  /** The entry at a position, whichever partition it is of; undefined if the log does not have it, or not any more. */
  find(position: number): Promise<FoundEntry | undefined>;

  /** Forgets a partition's entries up to a position, that one included. */
  trim(partition: number, throughPosition: number): Promise<void>;

  close(): Promise<void>;
}
