import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';
import type { Page } from '../model/page.ts';
import type { Reaction, ReactionChange, ReactionDraft } from '../model/reaction.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { Reader } from './guard.ts';

/** A draft with a digest of its content, by which a repetition is recognised. */
export interface NewReaction extends ReactionDraft {
  digest: Buffer;
  /** The span that writes it, if its trace is recorded. It is not stored. */
  trace?: TraceContext;
}

/** Who may react, and how much. */
export interface ReactionRules {
  /** Members with one of these roles may react. */
  reactingRoles: readonly ChatRole[];
  /** The most kinds of reactions that a message may have. */
  maxKinds: number;
}

/**
 * The outcome of one change. For `repeated` (the same change again), seq and time are those of the first one. `unchanged`: the reaction was as
 * requested already. `epoch` is that of the commit, or an earlier one. `busy`: another transaction has locked the chat.
 */
export type Reacted =
  | { outcome: 'stored'; change: ReactionChange; epoch: string }
  | { outcome: 'repeated'; seq: number; createdAt: Date }
  | { outcome: 'unchanged' }
  | { outcome: ReactionRefusal; chatType?: ChatType };

export type ReactionRefusal =
  | 'reused'
  | 'chat_not_found'
  | 'not_a_member'
  | 'role_too_low'
  | 'message_not_found'
  | 'message_deleted'
  | 'reaction_limit'
  | 'busy';

/** Stores reactions to messages. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached. */
export interface ReactionRepository {
  /**
   * Commits a batch in one statement, and returns an outcome for each change, in the order of the batch. If it throws, either nothing was stored or the
   * commit's answer was lost; the batch can be tried again.
   *
   * Each stored change takes the next number of its chat. A batch must contain neither two changes of one emoji of a message nor two with one
   * clientChangeId of an actor in a chat.
   *
   * Locks are as in `ChangeRepository.appendBatch`.
   */
  appendBatch(batch: readonly NewReaction[], rules: ReactionRules, lockWaitMs?: number): Promise<Reacted[]>;

  /**
   * Returns the reactions to a message with numbers greater than `after`, in their order; with `emoji`, only those of this kind. Throws NOT_FOUND
   * (CHAT_NOT_FOUND, MESSAGE_NOT_FOUND) and what the reader's guard throws.
   */
  list(
    message: { chatId: string; messageId: string; reader: Reader },
    emoji: string | undefined,
    limit: number,
    after?: number,
  ): Promise<Page<Reaction, number>>;
}
