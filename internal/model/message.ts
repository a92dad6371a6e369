import type { Mention } from './mention.ts';
import type { ReactionCount } from './reaction.ts';
import type { SystemEvent } from './system-event.ts';
import type { ThreadSummary } from './thread.ts';
import type { TraceContext } from './trace-context.ts';
import type { User } from './user.ts';

/** One message of a chat, in its newest state. Shared by its readers: never change it. */
export interface Message {
  readonly id: string;
  readonly chatId: string;
  /** The message's number in its chat: 1, 2, 3, … */
  readonly seq: number;
  /** The number of the message's last change, which is its version; equal to `seq` until the message changes. */
  readonly updateSeq: number;
  readonly sender: User;
  readonly clientMessageId: string;
  /** Empty for a system message and for a deleted message. */
  readonly text: string;
  readonly createdAt: Date;
  readonly system?: SystemEvent;
  /** What a program added to the text; the service does not interpret it. */
  readonly data?: MessageData;
  /** When the text was last edited. */
  readonly editedAt?: Date;
  readonly deletion?: Deletion;
  /** The reactions to the message, in the order of the first ones. Present only where a caller reads the message, not in entries. */
  readonly reactions?: readonly ReactionCount[];
  /** What the message is, for programs. Absent: `text`, an ordinary message. */
  readonly type?: string;
  /** Whether the message counts as unread for nobody. */
  readonly silent?: boolean;
  /** The message that this one replies to. */
  readonly replyTo?: MessageReference;
  /** The id of the message whose thread this one is in. */
  readonly rootId?: string;
  /** Set while the text grows, and if it was ended before it was complete. */
  readonly streaming?: MessageStreaming;
  /** What is known of the thread of this message. Only answers to calls have it. */
  readonly thread?: ThreadSummary;
  /** Whom the text mentions, in the order of their places. Absent if nobody. */
  readonly mentions?: readonly Mention[];
}

/** Another message of the same chat. */
export interface MessageReference {
  readonly messageId: string;
  readonly seq: number;
}

/** What a sender may give a message besides its text. `replyToId` and `rootId` name messages of the chat. */
export interface MessageOptions {
  data?: MessageData;
  /** Absent: `text`. */
  type?: string;
  /** Absent if it is false. */
  silent?: true;
  replyToId?: string;
  /** The message whose thread this one joins. If that one is in a thread itself, this one joins the same. */
  rootId?: string;
  /** Absent if there are none. */
  mentions?: readonly Mention[];
}

export type MessageStreaming = 'STREAMING' | 'CANCELLED';

/** An object that JSON can hold. It has at least one key. */
export type MessageData = Readonly<Record<string, unknown>>;

/** What remains of a deleted message besides its place, its sender and its client message id. */
export interface Deletion {
  readonly at: Date;
  /** The id of the user that deleted the message. */
  readonly by: string;
  /** Whether lists leave the message out, so that nobody sees that it existed. */
  readonly hidden: boolean;
}

/** A message that is not committed yet. */
export interface Draft extends MessageOptions {
  chatId: string;
  sender: User;
  /** Unique among the sender's messages in the chat. It makes a retry safe: a repetition is recognised. */
  clientMessageId: string;
  text: string;
  /** Set if the sender is a backend, which need not be a member. */
  asService?: boolean;
}

/** A message that is stored in the ingest log and acknowledged to its sender, but has no number yet. The sender's permission has been checked. */
export interface AcceptedMessage extends Omit<Draft, 'asService'> {
  id: string;
  /** A digest of the content, which distinguishes a repetition from another message with the same client message id. */
  contentHash: Buffer;
  acceptedAt: Date;
  /** The span that accepted it, if its trace is recorded. */
  trace?: TraceContext;
}

/** The acknowledgement of a stored message. A repetition gets the receipt of the first attempt. */
export interface Receipt {
  messageId: string;
  /** The message's number; 0 if the message is only in the ingest log, and gets its number when it is written. */
  seq: number;
  createdAt: Date;
}
