import type { User } from './user.ts';

/** The beginning, a part or the end of a streamed message, before it is committed. */
export type StreamWrite = {
  chatId: string;
  actor: User;
  /** Set if the actor is a backend, which need not be a member. */
  asService: boolean;
} & (StreamStart | StreamParts | StreamEnd);

export interface StreamStart {
  kind: 'start';
  /** As in `Draft`. */
  clientMessageId: string;
  text: string;
}

/** Successive parts of one message. */
export interface StreamParts {
  kind: 'part';
  messageId: string;
  /** The number of the first one: 1, 2, 3, … */
  firstPart: number;
  texts: readonly string[];
}

export interface StreamEnd {
  kind: 'end';
  messageId: string;
  outcome: StreamOutcome;
  /** Ends the message only if its sender was not heard for this time, in milliseconds. */
  ifIdleMs?: number;
}

export type StreamOutcome = 'complete' | 'cancelled';

/** The acknowledgement of a stored write. */
export interface StreamReceipt {
  messageId: string;
  /** The number of the change; of a repetition, a number at which the message has it. */
  seq: number;
  createdAt: Date;
  /** The number of the next part. */
  nextPart: number;
}
