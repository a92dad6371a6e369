import type { ExportedEvent, LastEvent } from './event-sink.ts';

/** The event was not appended, because the last event of its chat is not at the position that the caller named. */
export class PositionConflict extends Error {
  override readonly name = 'PositionConflict';
}

/** A durable log of events that can be read back, and that appends only at a position which the caller knows. */
export interface OrderedLog {
  /**
   * Appends an event directly after the event of its chat at the position `after` (0: as the chat's first event), and returns its position. Throws
   * PositionConflict if another event is the last one of the chat, and any other error if the event may not have been stored. Appending the same event
   * in the same epoch and replay again is safe.
   */
  append(event: ExportedEvent, after: number, epoch: string, replay?: number): Promise<number>;

  /** The last event of a chat; undefined if the log has none. */
  findLast(chatId: string): Promise<LastEvent | undefined>;

  /** The smallest number of a message that events of the chat with numbers above `afterSeq` have changed; undefined if there are none. */
  findOldestChanged(chatId: string, afterSeq: number): Promise<number | undefined>;

  /** Erases every event of these messages but the last one of each, so that nobody can read its content any more. `messageSeqs`: their numbers. */
  erase(chatId: string, messageSeqs: ReadonlySet<number>): Promise<void>;

  /** The last event of each chat that the log has events of. */
  lastEvents(): AsyncIterable<LastEvent>;

  /** Ends the connections. Twice is harmless. */
  close(): Promise<void>;
}
