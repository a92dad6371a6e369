import type { Mention, Message, User } from '../../api/chat/v1/chat.ts';

/** Names by which a text mentions everyone in a chat. */
const everyoneNames = ['all', 'room'];

/** A part of a text, with the mention that it is, if any. */
export interface TextPart {
  text: string;
  mention?: Mention;
}

/**
 * Returns the mentions in a typed text: each `@name` with the name or the id of one of these users and, with `everyone`, `@all` and `@room`. The longest
 * name counts. An `@` within a word, as in an address, mentions nobody.
 *
 * @example
 * await chat.send(text, { mentions: findMentions(text, members.map(({ user }) => user)) });
 */
export function findMentions(
  text: string,
  users: readonly (User | undefined)[],
  { everyone = false }: { everyone?: boolean } = {},
): Mention[] {
  const targets = [
    ...users.flatMap((user) =>
      user ? [user.name, user.id].map((name) => ({ name, userId: user.id, everyone: false })) : [],
    ),
    ...(everyone ? everyoneNames.map((name) => ({ name, userId: '', everyone })) : []),
  ].filter(({ name }) => name !== '');
  targets.sort((one, other) => other.name.length - one.name.length);
  const found: Mention[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (/[\p{L}\p{N}_]$/u.test(text.slice(0, at))) continue;
    const rest = text.slice(at + 1);
    const target = targets.find(({ name }) => isName(rest, name));
    if (!target) continue;
    const { name, userId, everyone: all } = target;
    found.push({ userId, everyone: all, offset: charactersIn(text.slice(0, at)), length: charactersIn(name) + 1 });
    at += name.length;
  }
  return found;
}

/** Whether the text begins with the name, and the name ends there. Case does not matter. */
function isName(text: string, name: string): boolean {
  const given = text.slice(0, name.length);
  return given.toLowerCase() === name.toLowerCase() && !/^[\p{L}\p{N}_]/u.test(text.slice(name.length));
}

/**
 * Cuts the text of a message into its mentions and what is between them, in order. The service counts places in Unicode characters, and this function
 * converts them to the places of JavaScript.
 *
 * @example
 * for (const { text, mention } of textParts(message)) console.log(mention ? `[${text}]` : text);
 */
export function textParts({ text, mentions }: Pick<Message, 'text' | 'mentions'>): TextPart[] {
  if (mentions.length === 0) return text === '' ? [] : [{ text }];
  const characters = [...text];
  const parts: TextPart[] = [];
  let end = 0;
  const cut = (from: number, to: number, mention?: Mention) => {
    const part = characters.slice(from, to).join('');
    if (part !== '') parts.push({ text: part, ...(mention && { mention }) });
    end = Math.max(end, to);
  };
  for (const mention of mentions) {
    // What an old client has cut or changed may have mentions beyond its end.
    if (mention.offset < end || mention.offset + mention.length > characters.length) continue;
    cut(end, mention.offset);
    cut(mention.offset, mention.offset + mention.length, mention);
  }
  cut(end, characters.length);
  return parts;
}

/** Whether the message mentions the user, by id or as everyone. */
export function isMentioned({ mentions, sender }: Message, userId: string): boolean {
  return sender?.id !== userId && mentions.some((mention) => mention.everyone || mention.userId === userId);
}

function charactersIn(text: string): number {
  return [...text].length;
}
