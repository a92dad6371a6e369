import type { ReadMark, ReadPosition } from '../model/member.ts';

/** A read mark after a call, and whether the call moved it. */
export interface MovedMark extends ReadPosition {
  moved: boolean;
}

/**
 * Stores how far each member has read and received. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached, and
 * returns undefined if the user is not a member.
 */
export interface ReadMarkRepository {
  /** Moves the member's read mark forward to `seq`, never back; not if it was moved back since `ifGeneration`. */
  advance(
    chatId: string,
    userId: string,
    { seq, ifGeneration }: { seq: number; ifGeneration: number | undefined },
  ): Promise<MovedMark | undefined>;

  /** Moves the member's read mark back to before `fromSeq`, never forward, and then raises its generation. */
  moveBack(chatId: string, userId: string, fromSeq: number): Promise<MovedMark | undefined>;

  /** Moves the member's delivered mark forward to `seq`, never back. */
  deliver(chatId: string, userId: string, seq: number): Promise<{ deliveredSeq: number; moved: boolean } | undefined>;

  /** Returns the member's delivered mark. */
  findDelivered(chatId: string, userId: string): Promise<number | undefined>;

  /** Returns the member's read mark with the number of unread messages, which are counted: this takes longer the more there are. */
  find(chatId: string, userId: string): Promise<ReadMark | undefined>;
}
