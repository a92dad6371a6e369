import { chatIdOf, type ExportedEvent, endOfChat, numberOf } from './event-sink.ts';

const endWord = 'deleted';

/**
 * `<chat id>:<number>:<epoch>`: the number of `chat_deleted` is the word `deleted`. A `reset` has one more part, and so have events since a replay of the
 * chat: `r1` since the first one.
 */
export function toEventId(event: ExportedEvent, epoch: string, replay = 0): string {
  const number = numberOf(event);
  const id = `${chatIdOf(event)}:${number === endOfChat ? endWord : number}:${epoch}`;
  return [id, ...(event.kind === 'reset' ? ['reset'] : []), ...(replay > 0 ? [`r${replay}`] : [])].join(':');
}

/** The epoch is empty in ids of releases that knew of none. */
export function parseEventId(id: string): { chatId: string; number: number; epoch: string; replay: number } {
  const [chatId = '', number, epoch = '', ...others] = id.split(':');
  const replay = Number(others.find((part) => /^r\d+$/.test(part))?.slice(1) ?? 0);
  return { chatId, number: number === endWord ? endOfChat : Number(number), epoch, replay };
}
