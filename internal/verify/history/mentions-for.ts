import type { Mention } from '../../../pkg/api/chat/v1/chat.ts';

/** How a text begins that mentions everyone. */
export const everyoneName = 'all';

/** Returns the mentions that clients of a run send with a text: whom it names at its beginning, by `@all` or `@` and the id. They follow from the text, too. */
export function mentionsFor(text: string): Mention[] {
  const name = /^@(\S+) /.exec(text)?.[1];
  if (name === undefined) return [];
  const everyone = name === everyoneName;
  return [{ userId: everyone ? '' : name, everyone, offset: 0, length: [...name].length + 1 }];
}
