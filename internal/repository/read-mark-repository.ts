import type { ReadMark } from '../model/member.ts';

/** Stores how far each member has read. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached. */
export interface ReadMarkRepository {
  /**
   * Moves the member's read mark forward to `seq`, never back, and returns where it is. `moved` is false if it was there or beyond. Undefined
   * if the user is not a member.
   */
  advance(chatId: string, userId: string, seq: number): Promise<{ readSeq: number; moved: boolean } | undefined>;

  /**
   * Returns the member's read mark with the number of unread messages, which are counted: this takes longer the more there are. Undefined
   * if the user is not a member.
   */
  find(chatId: string, userId: string): Promise<ReadMark | undefined>;
}
