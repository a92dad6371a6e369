import type { Mention } from './mention.ts';
import type { MessageData } from './message.ts';

/** A change of a message that is not committed yet. */
export interface ChangeDraft {
  chatId: string;
  messageId: string;
  /** The id of the user that makes the change. */
  actorId: string;
  /** Unique among the actor's changes in the chat. It makes a retry safe: a repetition is recognised. Empty for a deletion without one. */
  clientChangeId: string;
  change: ({ kind: 'edited' } & NewContent) | { kind: 'deleted'; hide: boolean; reason: string };
  /** The version (`updateSeq`) that the message must have; undefined: any. */
  ifVersion: number | undefined;
  /** Set if a role of the actor's token allows the change: the actor need not be a member. */
  asService: boolean;
}

/** What an edit puts in the place of a message's content. */
export interface NewContent {
  text: string;
  /** Absent: the message keeps its data; an empty object: it has none any more. */
  data?: Readonly<Record<string, unknown>>;
  /** Absent: the message has none any more. */
  mentions?: readonly Mention[];
}

/** What a caller asks to change, without the change itself. */
export type ChangeRequest = Omit<ChangeDraft, 'actorId' | 'asService' | 'change'>;

/** The acknowledgement of a stored change. A repetition gets the receipt of the first attempt. */
export interface ChangeReceipt {
  /** The number of the change, which is the message's version after it. */
  seq: number;
  createdAt: Date;
}

/** The content that a message had before an edit. */
export interface MessageVersion {
  /** The message's `updateSeq` while it had this text. */
  version: number;
  text: string;
  data?: MessageData;
  createdAt: Date;
}
