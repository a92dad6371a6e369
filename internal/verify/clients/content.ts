import { isDeepStrictEqual } from 'node:util';
import type { Mention } from '../../../pkg/api/chat/v1/chat.ts';
import { mentionsFor } from '../history/mentions-for.ts';

/** Returns the data that clients of a run send with a text: of every third text. It follows from the text, so that histories need not hold it. */
export function dataFor(text: string): Record<string, unknown> | undefined {
  if (text === '' || text.length % 3 !== 0) return undefined;
  return { characters: text.length, words: text.split(' ').slice(0, 3), 'a key ü': { isLong: text.length > 100 } };
}

/** Names a streamed message in its client message id, since nothing else in it tells that it was streamed. */
export const streamedMark = '-streamed-';

interface Content {
  text: string;
  data?: Record<string, unknown> | undefined;
  mentions: Mention[];
  clientMessageId: string;
}

/** Returns the content of a message for the history: the text, with the data and the mentions if they are not what was sent with the text. */
export function contentOf({ text, data, mentions, clientMessageId }: Content): string {
  // Until it is edited, a streamed message has neither data nor mentions.
  if (data === undefined && mentions.length === 0 && clientMessageId.includes(streamedMark)) return text;
  const withData = isDeepStrictEqual(data, dataFor(text)) ? text : `${text} with the data ${JSON.stringify(data)}`;
  if (isDeepStrictEqual(mentions, mentionsFor(text))) return withData;
  return `${withData} with the mentions ${JSON.stringify(mentions)}`;
}
