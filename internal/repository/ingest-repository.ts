import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';
import type { AcceptedMessage } from '../model/message.ts';
import type { Appended, NewMessage } from './message-repository.ts';

/** What stands against keeping a message, or `acceptable`. For `repeated`, id, seq and time are those of the message as it was written. */
export type AcceptanceCheck =
  | { outcome: 'acceptable' }
  | { outcome: 'repeated'; messageId: string; seq: number; createdAt: Date }
  | { outcome: 'reused' | 'chat_not_found' | 'not_a_member' | 'role_too_low'; chatType?: ChatType };

/** A stretch of a partition that a writer has dealt with: the position where it stood, and where it stands after. */
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
  /** Absent if it cannot be read. */
  message: AcceptedMessage | undefined;
  body: Uint8Array;
}

/** The writer does not have the partition any more, or not at that position: another one has gone on. */
export class PartitionLost extends Error {
  override readonly name = 'PartitionLost';
}

/**
 * How far accepted messages have been written, and by whom. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the database
 * cannot be reached.
 */
export interface IngestRepository {
  /** Whether the messages may be kept; answers in their order. Only members with one of `sendingRoles` may send, and services. */
  checkAcceptance(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<AcceptanceCheck[]>;

  /**
   * Says which log the positions are of. At the 'first' one, and at a 'new' one in the place of another, all of them begin at 0. Throws an error with
   * a clear message if the same log is known with another number of partitions.
   */
  openLog(log: { name: string; createdAt: string; partitions: number }): Promise<'known' | 'first' | 'new'>;

  /**
   * Says that a writer lives and gives it its even share of the partitions: each with the position where it stands. Writers that have not called for
   * `missingAfterMs` have lost theirs.
   */
  takePartitions(writerId: string, missingAfterMs: number): Promise<Map<number, number>>;

  /** Gives back all that a writer has, at once. */
  leave(writerId: string): Promise<void>;

  /**
   * Writes messages and moves the partition's position over them, in one transaction: each is written once, whoever is a member by now. Throws
   * PartitionLost, having written nothing. No message may occur twice (chat, sender, clientMessageId) in one batch.
   */
  append(stretch: PartitionRange, messages: readonly AcceptedMessage[]): Promise<Appended[]>;

  /** Whether an entry has been dealt with: its message was written, or its chat is no more, or it was put aside. */
  isSettled(entry: Entry): Promise<boolean>;

  /** Puts an entry aside that cannot be written, and moves the position over it. Throws PartitionLost. */
  refuse(stretch: PartitionRange, body: Uint8Array, reason: string): Promise<void>;
}
