import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';
import type { MentionFault } from '../model/mention.ts';
import type { AcceptedMessage } from '../model/message.ts';
import type { Appended, NewMessage, ReferenceRefusal } from './message-repository.ts';

/** How messages get into the database: committed by the service, or through the ingest log. */
export type IngestMode = 'direct' | 'jetstream';

/**
 * Whether a message may be accepted, or why not. With `repeated` it is in the database already, with this id, number and time. `other_mode`: the mode
 * of the database is `direct`, so the log must not have the message.
 */
export type AcceptanceCheck =
  | { outcome: 'acceptable' }
  | { outcome: 'other_mode' }
  | { outcome: 'repeated'; messageId: string; seq: number; createdAt: Date }
  | { outcome: 'mention_refused'; mentionFault: MentionFault }
  | { outcome: 'reused' | 'chat_not_found' | 'not_a_member' | 'role_too_low' | ReferenceRefusal; chatType?: ChatType };

/** A range of a partition that a writer has processed: after the position `from`, up to and including `to`. */
export interface PartitionRange {
  writerId: string;
  partition: number;
  from: number;
  to: number;
}

/** An entry of the log. */
export interface Entry {
  partition: number;
  position: number;
  /** Absent if the entry cannot be decoded. */
  message: AcceptedMessage | undefined;
  body: Uint8Array;
}

/** The writer no longer has the partition, or the partition is at another position than the writer believes. */
export class PartitionLost extends Error {
  override readonly name = 'PartitionLost';
}

/**
 * How far accepted messages have been written to the database, and by which writers. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the
 * database cannot be reached.
 */
export interface IngestRepository {
  /**
   * Checks whether messages may be accepted, and returns the results in their order. Members with one of `sendingRoles` may send, and so may services. A
   * reference to a message that is not in the database is refused, unless its id is one that the log gives: that message may not be written yet.
   */
  checkAcceptance(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<AcceptanceCheck[]>;

  /** The mode of the database. If no process has chosen one yet, it is `wanted` from now on. */
  claimMode(wanted: IngestMode): Promise<IngestMode>;

  /** Starts to switch the mode, which does not change yet. Returns the id of the switch. */
  startSwitch(): Promise<string>;

  /**
   * Changes the mode: statements of the other mode write nothing from now on. With `direct`, positions belong to no log any more. Throws an error if
   * another switch was started meanwhile.
   */
  finishSwitch(switchId: string, mode: IngestMode): Promise<void>;

  /** The position of each partition. Undefined if the positions belong to another log. */
  findPositions(log: { name: string; createdAt: string }): Promise<Map<number, number> | undefined>;

  /**
   * Stores which log the positions belong to. Returns `same` if it was that log before. For the `first` log, and for one that `replaced` another, it sets
   * all positions to 0. Throws an error that says what to do if the same log had another number of partitions before, if the messages are in a log with
   * another name, or if the mode is direct.
   */
  openLog(log: { name: string; createdAt: string; partitions: number }): Promise<'same' | 'first' | 'replaced'>;

  /**
   * The writer's heartbeat. Assigns the writer its even share of the partitions, and returns the position of each. Writers without a heartbeat for
   * `missingAfterMs` milliseconds lose their partitions.
   */
  takePartitions(writerId: string, missingAfterMs: number): Promise<Map<number, number>>;

  /** Releases all partitions of a writer that stops. */
  leave(writerId: string): Promise<void>;

  /**
   * Writes the messages of a range and moves the partition's position to its end, in one transaction. It does not check membership again, and stores a
   * message without a reference to what is not in the chat. Throws PartitionLost, and has then written nothing. A batch must not contain a message (chat,
   * sender, clientMessageId) twice, nor a message that refers to another one of the batch.
   *
   * Waits for locks as MessageRepository.appendBatch does. If a message is `busy` or `reused`, the others are written, and the position does not move.
   */
  append(range: PartitionRange, messages: readonly AcceptedMessage[], lockWaitMs?: number): Promise<Appended[]>;

  /**
   * Whether an entry needs no more work: a message with its chat, sender and clientMessageId is in the database, its chat was deleted, or it was set
   * aside.
   */
  isSettled(entry: Entry): Promise<boolean>;

  /** Sets an entry aside that cannot be written, in the table ingest.refused, and moves the position to the end of the range. Throws PartitionLost. */
  refuse(range: PartitionRange, body: Uint8Array, reason: string): Promise<void>;
}
