import type { User } from '../model/user.ts';

/** Which changes of a chat a sink shall get again: those from a number on, or those since a time. */
export interface ReplayRequest {
  sink: string;
  chatId: string;
  from: number | Date;
  reason: string;
}

/** What is delivered again. */
export interface Replay {
  fromSeq: number;
  /** The last number that the sink had. */
  toSeq: number;
  /** How often the chat was put back for this sink, this time included. */
  replay: number;
}

/** Puts back how far chats have been delivered to a sink. */
export interface SinkReplayRepository {
  /**
   * Puts the cursor of the chat back and records that in the audit log (`export.replay`), in one transaction. Returns undefined if the sink has nothing of
   * the chat from there on. Throws INVALID_ARGUMENT (INVALID_FIELDS) for a sink that there is not, NOT_FOUND (CHAT_NOT_FOUND), UNAVAILABLE
   * (STORAGE_UNAVAILABLE).
   */
  replay(actor: User, request: ReplayRequest): Promise<Replay | undefined>;
}
