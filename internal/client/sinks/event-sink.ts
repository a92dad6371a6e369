import type { Message } from '../../model/message.ts';

/** A durable change of a chat, as other services get it. */
export type ExportedEvent =
  /** A message was sent; its number is `seq`. It has its newest state, which a later number may have brought. */
  | { kind: 'message'; message: Message }
  /** A message was edited or deleted; the number is `updateSeq`. */
  | { kind: 'message_changed'; message: Message }
  /** A change that a later one has replaced, or a hidden message. Consumers count it: every number of a chat is one event. */
  | { kind: 'covered'; chatId: string; seq: number }
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
  return 'message' in event ? event.message.chatId : event.chatId;
}

/** The event's place in its chat. The end of the chat comes after every number. */
export function numberOf(event: ExportedEvent): number {
  switch (event.kind) {
    case 'message':
      return event.message.seq;
    case 'message_changed':
      return event.message.updateSeq;
    case 'covered':
      return event.seq;
    case 'chat_deleted':
      return endOfChat;
    default:
      return event satisfies never;
  }
}

/** The number of the event `chat_deleted`. */
export const endOfChat = Number.POSITIVE_INFINITY;
