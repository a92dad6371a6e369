import type { User } from './user.ts';

/** A change of one user's reaction to a message. */
export interface ReactionChange {
  readonly chatId: string;
  readonly messageId: string;
  readonly messageSeq: number;
  /** The number of the change. */
  readonly seq: number;
  /** With the name that the user had at that time. */
  readonly user: User;
  readonly emoji: string;
  /** Whether the user has the reaction now. */
  readonly added: boolean;
  readonly createdAt: Date;
  readonly count: ReactionCount;
}

/** How many users have a kind of reaction to a message. */
export interface ReactionCount {
  readonly emoji: string;
  readonly count: number;
  /** The number of the last change of the count. */
  readonly seq: number;
  /** Whether the reader of the message is one of the users. Absent if it was read for nobody. */
  readonly own?: boolean;
}

/** One user's reaction to a message. */
export interface Reaction {
  emoji: string;
  user: User;
  /** The number of the reaction. */
  seq: number;
  createdAt: Date;
}

/** A change of a reaction that is not committed yet. */
export interface ReactionDraft {
  chatId: string;
  messageId: string;
  emoji: string;
  /** Whether the reaction is added or removed. */
  added: boolean;
  actor: User;
  /** As in ChangeDraft; empty: none. */
  clientChangeId: string;
  /** Set if the actor is a backend, which need not be a member. */
  asService: boolean;
}

/** What a caller asks for. */
export type ReactionRequest = Omit<ReactionDraft, 'actor' | 'asService' | 'added'>;
