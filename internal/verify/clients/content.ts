import { isDeepStrictEqual } from 'node:util';

/** Returns the data that clients of a run send with a text: of every third text. It follows from the text, so that histories need not hold it. */
export function dataFor(text: string): Record<string, unknown> | undefined {
  if (text === '' || text.length % 3 !== 0) return undefined;
  return { characters: text.length, words: text.split(' ').slice(0, 3), 'a key ü': { isLong: text.length > 100 } };
}

/** Names a streamed message in its client message id, since nothing else in it tells that it was streamed. */
export const streamedMark = '-streamed-';

/** Returns the content of a message for the history: the text, and the data if it is not what was sent with the text. */
export function contentOf({
  text,
  data,
  clientMessageId,
}: {
  text: string;
  data?: Record<string, unknown> | undefined;
  clientMessageId: string;
}): string {
  // Until it is edited, a streamed message has no data.
  if (data === undefined && clientMessageId.includes(streamedMark)) return text;
  return isDeepStrictEqual(data, dataFor(text)) ? text : `${text} with the data ${JSON.stringify(data)}`;
}
