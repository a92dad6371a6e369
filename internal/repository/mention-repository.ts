import type { Message } from '../model/message.ts';
import type { Page } from '../model/page.ts';

/** The place of a message in a user's mentions. */
export interface MentionKey {
  /** Milliseconds since 1970. */
  at: number;
  chatId: string;
  seq: number;
}

/** Reads where users are mentioned. */
export interface MentionRepository {
  /**
   * Lists the messages of the user's present chats that mention the user, newest first, since the user became a member, without the user's own. All of a page
   * is of one moment. Throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
   */
  list(userId: string, limit: number, after?: MentionKey): Promise<Page<Message, MentionKey>>;
}
