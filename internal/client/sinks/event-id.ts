import { chatIdOf, type ExportedEvent, endOfChat, numberOf } from './event-sink.ts';

const endWord = 'deleted';

/** `<chat id>:<number>:<epoch>`: the number of `chat_deleted` is the word `deleted`, and a `reset` has one more part. */
export function toEventId(event: ExportedEvent, epoch: string): string {
  const number = numberOf(event);
  const id = `${chatIdOf(event)}:${number === endOfChat ? endWord : number}:${epoch}`;
  return event.kind === 'reset' ? `${id}:reset` : id;
}

/** The epoch is empty in ids of releases that knew of none. */
export function parseEventId(id: string): { chatId: string; number: number; epoch: string } {
  const [chatId = '', number, epoch = ''] = id.split(':');
  return { chatId, number: number === endWord ? endOfChat : Number(number), epoch };
}
