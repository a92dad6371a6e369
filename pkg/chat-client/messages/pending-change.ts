import type { Mention } from '../../api/chat/v1/chat.ts';

/** An edit or deletion of a message, or a reaction to one, that the service has not answered yet. */
export type PendingChange = PendingEdit | PendingDeletion | PendingReaction;

export interface PendingEdit {
  kind: 'edit';
  chatId: string;
  messageId: string;
  /** The new text. */
  text: string;
  /** The new data; an empty object removes it. Absent: it stays. */
  data?: Record<string, unknown> | undefined;
  /** Whom the new text mentions. Absent: nobody. */
  mentions?: readonly Mention[] | undefined;
  /** The id by which the service recognises a repetition. */
  clientChangeId: string;
  ifVersion?: number;
}

export interface PendingDeletion {
  kind: 'delete';
  chatId: string;
  messageId: string;
  /** The id by which the service recognises a repetition. */
  clientChangeId: string;
  hide: boolean;
  reason: string;
  ifVersion?: number;
}

export interface PendingReaction {
  kind: 'react' | 'unreact';
  chatId: string;
  messageId: string;
  emoji: string;
  /** The id by which the service recognises a repetition. */
  clientChangeId: string;
}
