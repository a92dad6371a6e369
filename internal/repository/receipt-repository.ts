import type { MessageReceipt } from '../model/member.ts';
import type { Page } from '../model/page.ts';
import type { Reader } from './guard.ts';

/** Reads which members have received and read a message. */
export interface ReceiptRepository {
  /**
   * Lists the members that have received a message, ordered by user id, without its sender and without users who became members after it. Throws NOT_FOUND
   * (CHAT_NOT_FOUND, MESSAGE_NOT_FOUND), what the reader's guard throws, FAILED_PRECONDITION (CHAT_TOO_LARGE) if the chat has more than `maxMembers` members,
   * and UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
   */
  list(
    message: { chatId: string; messageId: string; reader: Reader },
    maxMembers: number,
    limit: number,
    afterUserId?: string,
  ): Promise<Page<MessageReceipt, string>>;
}
