import type { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { withPart } from '../../../pkg/chat-client/messages/with-part.ts';
import type { EventBody } from './stream-probe.ts';

/** What a client has of one chat after some events. */
export interface Composed {
  messages: Map<string, Message>;
  /** By message id, the texts that it had, one after the other. */
  texts: Map<string, string[]>;
  /** The first and last number of each entry, in order. */
  numbers: [number, number][];
}

/** Follows the rules of the contract for a client of a chat. `known`: the messages that it had before. */
export function compose(events: readonly EventBody[], chatId: string, known: readonly Message[] = []): Composed {
  const messages = new Map(known.map((message) => [message.id, message]));
  const texts = new Map<string, string[]>();
  const numbers: [number, number][] = [];
  const set = (message: Message) => {
    messages.set(message.id, message);
    const before = texts.get(message.id) ?? [];
    if (before.at(-1) !== message.text) texts.set(message.id, [...before, message.text]);
  };
  for (const event of events) {
    switch (event.$case) {
      case 'message':
        if (event.value.chatId !== chatId) break;
        numbers.push([event.value.seq, event.value.seq]);
        set(event.value);
        break;
      case 'messageChanged': {
        const { message } = event.value;
        if (message?.chatId !== chatId) break;
        numbers.push([message.updateSeq, message.updateSeq]);
        set(message);
        break;
      }
      case 'messagePart': {
        if (event.value.chatId !== chatId) break;
        const { seq, messageId } = event.value;
        numbers.push([seq, seq]);
        const message = messages.get(messageId);
        if (message) set(withPart(message, event.value));
        break;
      }
      case 'covered':
        if (event.value.chatId === chatId) numbers.push([event.value.fromSeq, event.value.toSeq]);
        break;
    }
  }
  return { messages, texts, numbers };
}

/** Whether every number after `after` up to `last` is in one entry, in order. */
export function isGapless(numbers: readonly (readonly [number, number])[], after: number, last: number): boolean {
  let next = after + 1;
  for (const [from, to] of numbers) {
    if (from !== next) return false;
    next = to + 1;
  }
  return next === last + 1;
}
