import type { FollowedThread, ThreadPage } from '../model/message-page.ts';
import type { Page } from '../model/page.ts';
import type { Reader } from './guard.ts';
import type { HistoryRange } from './message-repository.ts';

/** A thread, named by its first message or any other of its messages, and the user who asks. */
export interface ThreadOfReader {
  chatId: string;
  messageId: string;
  reader: Reader;
}

/** Where the next page of followed threads begins. */
export interface FollowedKey {
  /** When the last thread of the page before had its last message, as PostgreSQL writes it. */
  activeAt: string;
  chatId: string;
  rootSeq: number;
}

export interface ThreadMark {
  readSeq: number;
  unreadCount: number;
}

/**
 * Threads, and who follows them. Every method throws NOT_FOUND (CHAT_NOT_FOUND) and what the reader's guard throws, NOT_FOUND (MESSAGE_NOT_FOUND) if
 * the message or the thread's first message is absent or hidden, and UNAVAILABLE (STORAGE_UNAVAILABLE).
 */
export interface ThreadRepository {
  /** Returns a page of a thread, read in one snapshot. */
  list(thread: ThreadOfReader, range: HistoryRange, limit: number): Promise<ThreadPage>;

  /** Stores that the reader follows the thread and has read all of it. Throws FAILED_PRECONDITION (SYSTEM_MESSAGE). */
  follow(thread: ThreadOfReader): Promise<void>;

  unfollow(thread: ThreadOfReader): Promise<void>;

  /**
   * Moves the reader's read mark forward; never back. Throws FAILED_PRECONDITION (THREAD_NOT_FOLLOWED), and OUT_OF_RANGE (CURSOR_IN_FUTURE) for a
   * number after the chat's last.
   */
  markRead(thread: ThreadOfReader, seq: number): Promise<ThreadMark>;

  /** Returns the threads that the user follows, in all chats or one, those with the newest last message first. */
  listFollowed(
    userId: string,
    chatId: string | undefined,
    limit: number,
    after?: FollowedKey,
  ): Promise<Page<FollowedThread, FollowedKey>>;
}
