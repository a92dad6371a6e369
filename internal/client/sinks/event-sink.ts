import type { Message } from '../../model/message.ts';
import type { ReactionChange } from '../../model/reaction.ts';

/** A durable change of a chat, as other services get it. */
export type ExportedEvent =
  /** A message was sent; its number is `seq`. It has its newest state, which a later number may have brought. */
  | { kind: 'message'; message: Message }
  /** A message was edited or deleted; the number is `updateSeq`. */
  | { kind: 'message_changed'; message: Message }
  /** A change that a later one has replaced, or a hidden message. Consumers count it: every number of a chat is one event. */
  | { kind: 'covered'; chatId: string; seq: number }
  /** A user reacted to a message, or took the reaction back. */
  | { kind: 'reaction'; reaction: ReactionChange }
  /** The database has gone back: what was delivered of the chat after `fromSeq` is void, and its later numbers follow anew. */
  | { kind: 'reset'; chatId: string; fromSeq: number }
  /** The chat was deleted. It is the last event of its chat, unless the database goes back. */
  | { kind: 'chat_deleted'; chatId: string };

/** The last event of a chat in a sink. */
export interface LastEvent {
  chatId: string;
  /** The epoch in which it was delivered; empty if a release without epochs delivered it. */
  epoch: string;
  /** The event's number, as `numberOf` gives it. */
  number: number;
  position: number;
  /** In which replay of the chat it was delivered; 0: in none. */
  replay: number;
}

/** Not all was delivered: a later replay of the chat has begun, which delivers these events. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/** Nothing was delivered: the last event of the chat in the sink is of another epoch, and may be of a history that the database has lost. */
export class OtherEpoch extends Error {
  override readonly name = 'OtherEpoch';
  readonly last: LastEvent;

  constructor(last: LastEvent) {
    super(`the last event of chat ${last.chatId} is of another epoch`);
    this.last = last;
  }
}

/**
 * Where the changes of chats are delivered, for other services. Consumers get the events of a chat in the order of their numbers, at least once: a
 * consumer drops an event whose number is not above the last one that it had, and goes back to the number of a `reset`. Events of different chats have
 * no order.
 */
export interface EventSink {
  /**
   * Delivers one or more events of one chat, in the order of the array. Resolves when the sink has acknowledged all of them. Throws if any of them may not
   * have arrived; the caller then delivers the same events again. Throws OtherEpoch if the sink has events of the chat that the caller does not know of and
   * that are of another epoch: the caller finds out which of them are void.
   *
   * `position` is what the delivery before returned for this chat, or 0 if that is not known. Returns the position for the next delivery; a sink
   * that needs none returns 0. A chat must not have two deliveries at a time; different chats may. `epoch` is that of the database when the events were
   * read, or an earlier one.
   *
   * `replay` counts how often the chat was put back (absent: never): events that an earlier replay has delivered are delivered again in a later one. Throws Superseded if
   * the sink knows of a later one.
   */
  deliver(events: readonly ExportedEvent[], position: number, epoch: string, replay?: number): Promise<number>;

  /**
   * Returns the smallest number of a message that events after `afterSeq` have changed: consumers no longer have its state of before. Undefined if there is
   * none, or if the sink cannot be read back.
   */
  findOldestChanged(chatId: string, afterSeq: number): Promise<number | undefined>;

  /** Returns the last event of each chat, in any order. A sink that cannot be read back returns nothing. */
  lastEvents(): AsyncIterable<LastEvent>;

  /** Ends the connections. Twice is harmless. */
  close(): Promise<void>;
}

export function chatIdOf(event: ExportedEvent): string {
  switch (event.kind) {
    case 'message':
    case 'message_changed':
      return event.message.chatId;
    case 'reaction':
      return event.reaction.chatId;
    default:
      return event.chatId;
  }
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
    case 'reaction':
      return event.reaction.seq;
    case 'reset':
      return event.fromSeq;
    case 'chat_deleted':
      return endOfChat;
    default:
      return event satisfies never;
  }
}

/** The number of the event `chat_deleted`. */
export const endOfChat = Number.POSITIVE_INFINITY;
