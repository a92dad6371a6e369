import type { Message } from '../../model/message.ts';

/** Something durable that happened in a chat. */
export type ExportedEvent =
  /** A message as of its number `updateSeq`. */
  | { kind: 'message'; message: Message }
  /** The chat is no more; nothing follows. */
  | { kind: 'chat_deleted'; chatId: string };

/** The last event of a chat that a stream has. */
export interface LastEvent {
  position: number;
  /** The message's `updateSeq`; undefined for the end of a deleted chat. */
  seq: number | undefined;
}

/** The event was refused, because the chat's last event in the stream is not the one it was to follow. */
export class OutOfPlace extends Error {
  override readonly name = 'OutOfPlace';
}

/** Where other services read what happens in chats. */
export interface EventStream {
  /**
   * Appends an event right after the chat's event at the position `after` (0: the first one), and returns its position. Throws OutOfPlace; or any
   * error if it is not known to be kept, and then the same event may be given again.
   */
  append(event: ExportedEvent, after: number): Promise<number>;

  /** Undefined if the stream has none of the chat. */
  findLast(chatId: string): Promise<LastEvent | undefined>;

  close(): Promise<void>;
}
