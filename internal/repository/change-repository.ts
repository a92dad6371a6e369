import type { ChangeDraft, MessageVersion } from '../model/change.ts';
import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';
import type { MentionFault } from '../model/mention.ts';
import type { Message } from '../model/message.ts';
import type { Page } from '../model/page.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { Reader } from './guard.ts';

/** A draft with a digest of its content, by which a repetition is recognised. */
export interface NewChange extends ChangeDraft {
  digest: Buffer;
  /** The span that writes it, if its trace is recorded. It is not stored. */
  trace?: TraceContext;
}

/** Who may change messages, and for how long. */
export interface ChangeRules {
  /** Members with one of these roles may edit their own messages. */
  sendingRoles: readonly ChatRole[];
  /** Members with one of these roles may delete the messages of others in groups and rooms, at any time. */
  moderatingRoles: readonly ChatRole[];
  /** How long senders may edit and delete their messages, in milliseconds; 0: without limit. */
  editWindowMs: number;
  deleteWindowMs: number;
  /** Whether the texts that were edited away are kept. */
  keepVersions: boolean;
}

/**
 * The outcome of one change. For `repeated` (the same change again), `reused` (its client_change_id for another change) and `already_deleted`, seq and
 * time are those of the first change. `epoch` is that of the commit, or an earlier one. `busy`: another transaction has locked the chat.
 */
export type Changed =
  | { outcome: 'stored'; seq: number; createdAt: Date; message: Message; epoch: string }
  | { outcome: 'repeated' | 'already_deleted'; seq: number; createdAt: Date }
  | RefusedChange;

export interface RefusedChange {
  outcome: ChangeRefusal;
  chatType?: ChatType;
  /** Present for `mention_refused`. */
  mentionFault?: MentionFault;
}

export type ChangeRefusal =
  | 'reused'
  | 'chat_not_found'
  | 'not_a_member'
  | 'role_too_low'
  | 'message_not_found'
  | 'system_message'
  | 'not_the_sender'
  | 'message_deleted'
  | 'busy'
  | 'too_late'
  | 'version_conflict'
  | 'mention_refused';

/** Stores changes of messages. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached. */
export interface ChangeRepository {
  /**
   * Commits a batch in one statement, and returns an outcome for each change, in the order of the batch. If it throws, either nothing was stored or the
   * commit's answer was lost; a change with a clientChangeId can be tried again.
   *
   * Each stored change takes the next number of its chat. A batch must contain neither two changes of one message nor two with one clientChangeId of an
   * actor in a chat.
   *
   * Changes in a chat that another transaction has locked are `busy` and are not stored; a repetition is recognised all the same. Waits up to `lockWaitMs`
   * (default: 0) for the lock of the first chat of the batch, and for no other lock. Throws INVALID_ARGUMENT (INVALID_FIELDS) if PostgreSQL cannot hold a
   * change of the batch.
   */
  appendBatch(batch: readonly NewChange[], rules: ChangeRules, lockWaitMs?: number): Promise<Changed[]>;

  /**
   * Returns the earlier texts of a message with a version greater than `after`, oldest first. Throws NOT_FOUND (CHAT_NOT_FOUND, MESSAGE_NOT_FOUND) and what
   * the reader's guard throws.
   */
  listVersions(
    message: { chatId: string; messageId: string; reader: Reader },
    limit: number,
    after?: number,
  ): Promise<Page<MessageVersion, number>>;
}
