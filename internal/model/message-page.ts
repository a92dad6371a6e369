import type { Message } from './message.ts';

/** A thread that a user follows. */
export interface FollowedThread {
  /** The first message, with the thread's summary if the thread has had messages. */
  root: Message;
  readSeq: number;
  /** The messages of others after `readSeq`, up to a limit. */
  unreadCount: number;
}

/** A page of messages, with those that they reply to and that are not in the page, ordered by seq. All of it was read in one snapshot. */
export interface MessagePage {
  messages: Message[];
  /** Whether there are more messages in the direction of paging. */
  hasMore: boolean;
  referenced: Message[];
}

/** A page of a thread. */
export interface ThreadPage extends MessagePage {
  root: Message;
  /** The reader's read mark in the thread; absent if the reader does not follow it. */
  readSeq?: number;
}
