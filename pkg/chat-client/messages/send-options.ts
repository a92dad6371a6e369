import type { Mention } from '../../api/chat/v1/chat.ts';

export interface SendOptions {
  /** What programs need besides the text, an object that JSON can hold; at most 5 KiB. Clients that do not know it show the text. */
  data?: Record<string, unknown> | undefined;
  /** The id by which the service recognises a repetition. A new one by default. */
  clientMessageId?: string;
  /** A name that tells programs what the message is: at most 64 of a-z, 0-9, `.`, `_` and `-`. By default `text`. */
  type?: string | undefined;
  /** Whether the message counts as unread for nobody. */
  silent?: boolean | undefined;
  /** The id of the message that this one replies to. */
  replyTo?: string | undefined;
  /** The id of the message whose thread this one joins. */
  root?: string | undefined;
  /** Whom the text mentions, for example by `findMentions`: only members of the chat; everyone only by its administrators and owners. */
  mentions?: readonly Mention[] | undefined;
}
