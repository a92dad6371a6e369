import type { SystemEvent } from './system-event.ts';
import type { User } from './user.ts';

/** One durable entry of a chat. Messages are shared between all of their readers: never change one. */
export interface Message {
  readonly id: string;
  readonly chatId: string;
  /** The message's place in the chat: 1, 2, 3, … */
  readonly seq: number;
  /** The chat's number of this message's last change; equal to `seq` until then. */
  readonly updateSeq: number;
  readonly sender: User;
  readonly clientMessageId: string;
  readonly text: string;
  readonly createdAt: Date;
  readonly system?: SystemEvent;
}

/** A message that is not committed yet. */
export interface Draft {
  chatId: string;
  sender: User;
  /** Unique among the sender's messages in the chat; makes sending again safe. */
  clientMessageId: string;
  text: string;
  /** The sender is a backend, which need not be a member. */
  asService?: boolean;
}

/** A message that is stored and acknowledged to its sender, and has no number yet. Whether the sender may send it was checked before. */
export interface AcceptedMessage extends Omit<Draft, 'asService'> {
  id: string;
  /** A digest of its content, by which a repetition is told from another message. */
  contentHash: Buffer;
  acceptedAt: Date;
}

/** What is known of a message once it is kept, the first time or by a repetition. */
export interface Receipt {
  messageId: string;
  /** 0: the message is kept and will be written; its number comes with it. */
  seq: number;
  createdAt: Date;
}
