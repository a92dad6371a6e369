import type { Batch } from '../model/batch.ts';
import type { ChatType } from '../model/chat.ts';
import type { Entry } from '../model/entry.ts';
import type { ChatRole } from '../model/member.ts';
import type { MentionFault } from '../model/mention.ts';
import type { Draft, Message } from '../model/message.ts';
import type { MessagePage } from '../model/message-page.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { Reader } from './guard.ts';

/** A draft with the id that it gets when it is stored, and a digest of its content by which a repetition is recognised. */
export interface NewMessage extends Draft {
  id: string;
  contentHash: Buffer;
  /** The span that writes it, if its trace is recorded. It is not stored. */
  trace?: TraceContext;
}

/** Refusals of a message whose `replyToId` or `rootId` names no message of the chat that it may refer to. */
export type ReferenceRefusal = 'reply_not_found' | 'root_not_found';

/**
 * The outcome of one message of a batch. For `repeated` (the same message again) and `reused` (its client_message_id with other content), id,
 * seq and time are those of the first message. `busy`: another transaction has locked the chat, and the message was not written.
 *
 * The last three outcomes exist only where a log stores messages before the database does. `accepted`: the log has stored the message; it
 * has no number yet. `unavailable`: the log may have stored the message or not. `full`: the log has no room for it.
 */
export interface Appended {
  outcome:
    | 'stored'
    | 'repeated'
    | 'reused'
    | 'chat_not_found'
    | 'not_a_member'
    | 'role_too_low'
    | ReferenceRefusal
    | 'mention_refused'
    | 'busy'
    | 'accepted'
    | 'unavailable'
    | 'full';
  /** Present for `mention_refused`. */
  mentionFault?: MentionFault;
  /** Absent if the chat does not exist. */
  chatType?: ChatType;
  messageId: string;
  seq: number;
  createdAt: Date;
  /** The epoch in which the message was committed, or an earlier one. Absent if it was not committed by this call. */
  epoch?: string;
  /** For `stored`, the number of the message that it replies to. */
  replyToSeq?: number;
  /** For `stored`, the id of its thread's first message. */
  rootId?: string;
}

/** A chat's entries after a number, and the chat's last number, read in one snapshot. */
export interface ChangesPage {
  /** Contains every number from the first after the cursor to `batch.lastSeq`. Empty if there are none. */
  batch: Batch;
  /** The number of the chat's last entry. */
  lastSeq: number;
  /** Whether there are entries after the last one of `batch`. */
  hasMore: boolean;
}

/** The range of a page of history: after a number, before a number, or the newest messages. */
export type HistoryRange = { afterSeq: number } | { beforeSeq: number } | 'newest';

/** Stores messages. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached. */
export interface MessageRepository {
  /**
   * Commits a batch in one statement, and returns an outcome for each message, in the order of the batch. If it throws UNAVAILABLE
   * (STORAGE_UNAVAILABLE), either nothing was stored or the commit's answer was lost; the same batch can be tried again. Any other error means that
   * PostgreSQL cannot hold one of the messages, and nothing was stored.
   *
   * Numbers within a chat follow the order of the batch, without gaps. Members with one of `sendingRoles` may send, and services. A batch
   * must not contain two messages with the same chat, sender and clientMessageId.
   *
   * Never waits for the lock of one chat while it holds that of another. It waits for the chat of the first message, at most `lockWaitMs` milliseconds (0
   * by default). New messages of chats that are locked then are `busy`.
   */
  appendBatch(
    batch: readonly NewMessage[],
    sendingRoles: readonly ChatRole[],
    lockWaitMs?: number,
  ): Promise<Appended[]>;

  /**
   * Throws NOT_FOUND (MESSAGE_NOT_FOUND), also for a hidden message; for a reader, also NOT_FOUND (CHAT_NOT_FOUND) and what its guard
   * throws.
   */
  get(chatId: string, messageId: string, reader?: Reader): Promise<Message>;

  /** As `get`, with the message that it replies to, in the same snapshot. */
  getWithReferences(
    chatId: string,
    messageId: string,
    reader?: Reader,
  ): Promise<{ message: Message; referenced: Message[] }>;

  /**
   * Returns the newest state of the messages that those of the entries reply to and that are not among the entries, ordered by seq. Throws NOT_FOUND
   * (CHAT_NOT_FOUND) and what the reader's guard throws.
   */
  listReferenced(chatId: string, entries: readonly Entry[], reader: Reader): Promise<Message[]>;

  /**
   * Returns a page of history, ordered by seq, without hidden messages. For a reader, throws NOT_FOUND (CHAT_NOT_FOUND) and what its guard
   * throws.
   */
  listHistory(chatId: string, range: HistoryRange, limit: number, reader?: Reader): Promise<MessagePage>;

  /** Returns the entries after a number, without a check of membership; undefined if the chat does not exist. */
  findChanges(chatId: string, afterSeq: number, limit: number): Promise<ChangesPage | undefined>;

  /**
   * Returns the entries after a number for a member; undefined unless the user is a member in the snapshot that was read, or in a later
   * one. A page that contains entries may be up to a second old, but is of the present epoch
   * and not older than the last call of `forgetPages`. An empty page is not shared.
   */
  findChangesAsMember(
    chatId: string,
    userId: string,
    afterSeq: number,
    limit: number,
  ): Promise<ChangesPage | undefined>;

  /** Ends the sharing of pages of the chat that were read before, which may contain the text of a deleted message. */
  forgetPages(chatId: string): void;

  /** Returns the last number of each chat that exists. */
  listHeads(chatIds: readonly string[]): Promise<Map<string, number>>;
}
