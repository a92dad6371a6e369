import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';
import type { Draft, Message } from '../model/message.ts';

/** A draft with the id it will have, and a digest of its content by which repetitions are recognised. */
export interface NewMessage extends Draft {
  id: string;
  contentHash: Buffer;
}

/**
 * What became of one message of a batch. For `repeated` and `reused`, id, seq and time are the first message's. `accepted`: it is kept
 * and will be written, its number is not known yet; `unavailable`: not known to be kept, though others of the batch are; `full`: there is no
 * room to keep it. These three come only where messages are kept elsewhere before they are written.
 */
export interface Appended {
  outcome:
    | 'stored'
    | 'repeated'
    | 'reused'
    | 'chat_not_found'
    | 'not_a_member'
    | 'role_too_low'
    | 'accepted'
    | 'unavailable'
    | 'full';
  /** Absent if there is no such chat. */
  chatType?: ChatType;
  messageId: string;
  seq: number;
  createdAt: Date;
}

/** A chat's changes after a number, and what was true of the chat in the same snapshot. */
export interface ChangesPage {
  /** By `updateSeq`, ascending; a changed message once, at its newest number. */
  messages: Message[];
  /** The number of the chat's last change. */
  lastSeq: number;
  /** Whether there are changes after the last one of `messages`. */
  hasMore: boolean;
}

/** Range of a page of history: after or before a number, or the newest. */
export type HistoryRange = { afterSeq: number } | { beforeSeq: number } | 'newest';

/** Messages at rest. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) when the database cannot be reached. */
export interface MessageRepository {
  /**
   * Commits a batch in one statement: all of it or, if this throws, nothing that is known of.
   *
   * Numbers within a chat follow the order of the batch, without gaps. Only members with one of `sendingRoles` may send,
   * and services.
   * No message may occur twice (chat, sender, clientMessageId) in one batch. Answers in the order of the batch.
   */
  appendBatch(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<Appended[]>;

  /** The message; throws NOT_FOUND (MESSAGE_NOT_FOUND). */
  get(chatId: string, messageId: string): Promise<Message>;

  /** A page of history, in ascending order of seq. */
  listHistory(chatId: string, range: HistoryRange, limit: number): Promise<{ messages: Message[]; hasMore: boolean }>;

  /** What changed after a number, regardless of who asks; undefined if there is no such chat. */
  findChanges(chatId: string, afterSeq: number, limit: number): Promise<ChangesPage | undefined>;

  /**
   * What changed after a number, up to `lastSeq`; undefined unless the user is a member in the snapshot that is read, or in a later one. It may
   * be up to a second old, but only if it has something after that number.
   */
  findChangesAsMember(
    chatId: string,
    userId: string,
    afterSeq: number,
    limit: number,
  ): Promise<ChangesPage | undefined>;

  /** The last number of each of the chats that exist. */
  listHeads(chatIds: readonly string[]): Promise<Map<string, number>>;
}
