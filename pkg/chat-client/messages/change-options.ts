import type { Mention } from '../../api/chat/v1/chat.ts';

export interface ChangeOptions {
  /** The `updateSeq` of the version that the user has seen. If the message has changed since, the change is refused (VERSION_CONFLICT). */
  ifVersion?: number;
  /** The id by which the service recognises a repetition. A new one by default. */
  clientChangeId?: string;
}

export interface EditOptions extends ChangeOptions {
  /** The new data of the message, which replaces the old; an empty object removes it. By default it stays. */
  data?: Record<string, unknown> | undefined;
  /** Whom the new text mentions. By default nobody, whatever the old text mentions. */
  mentions?: readonly Mention[] | undefined;
}

export interface DeleteOptions extends ChangeOptions {
  /** Whether lists leave the message out from now on. By default clients show that there was a message. */
  hide?: boolean;
  /** Why a moderator deletes the message of another user, for the audit log. */
  reason?: string;
}
