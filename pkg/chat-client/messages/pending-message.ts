import type { Mention } from '../../api/chat/v1/chat.ts';

/** A message that the service has not answered yet. */
export interface PendingMessage {
  chatId: string;
  text: string;
  /** What a program added to the text. */
  data?: Record<string, unknown> | undefined;
  clientMessageId: string;
  /** What the message is, for programs. Absent: `text`. */
  type?: string | undefined;
  /** Whether it counts as unread for nobody. */
  silent?: boolean | undefined;
  /** The id of the message that it replies to. */
  replyToId?: string | undefined;
  /** The id of the message whose thread it joins. */
  rootId?: string | undefined;
  /** Whom the text mentions. */
  mentions?: readonly Mention[] | undefined;
}
