import type { Message } from '../../model/message.ts';

/** A durable change of a chat, as other services get it. */
export type ExportedEvent =
  /** A message in the state that it had at its number `updateSeq`. */
  | { kind: 'message'; message: Message }
  /** The chat was deleted. It is the last event of its chat. */
  | { kind: 'chat_deleted'; chatId: string };

/**
 * Where the changes of chats are delivered, for other services. Consumers get the events of a chat in the order of their numbers, at least once: a
 * consumer drops an event whose number is not above the last one that it had. Events of different chats have no order.
 */
export interface EventSink {
  /**
   * Delivers one or more events of one chat, in the order of the array. Resolves when the sink has acknowledged all of them. Throws if any of them may not
   * have arrived; the caller then delivers the same events again.
   *
   * `position` is what the delivery before returned for this chat, or 0 if that is not known. Returns the position for the next delivery; a sink
   * that needs none returns 0. A chat must not have two deliveries at a time; different chats may.
   */
  deliver(events: readonly ExportedEvent[], position: number): Promise<number>;

  /** Ends the connections. Twice is harmless. */
  close(): Promise<void>;
}

export function chatIdOf(event: ExportedEvent): string {
  return event.kind === 'message' ? event.message.chatId : event.chatId;
}

/** The event's place in its chat. The end of the chat comes after every number. */
export function numberOf(event: ExportedEvent): number {
  return event.kind === 'message' ? event.message.updateSeq : endOfChat;
}

/** The number of the event `chat_deleted`. */
export const endOfChat = Number.POSITIVE_INFINITY;
