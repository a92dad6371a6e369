import type { User } from '../../../../pkg/chat-client/index.ts';

/** The beginning of a mention that is being typed: `@` and a part of a name before the caret. */
export interface TypedMention {
  /** The index of the `@`. */
  start: number;
  /** What follows it, up to the caret. */
  typed: string;
}

/** What can be put in its place: a name, and what it is. */
export interface Suggestion {
  name: string;
  note: string;
}

const maxSuggestions = 6;

/** Finds the mention before the caret; undefined if none is being typed. */
export function findTyped(text: string, caret: number): TypedMention | undefined {
  const found = /(?:^|[^\p{L}\p{N}_])@([^\s@]*)$/u.exec(text.slice(0, caret));
  const typed = found?.[1];
  return typed === undefined ? undefined : { start: caret - typed.length - 1, typed };
}

/** The members whose names or ids begin like this, without the user, and everyone if the user may mention everyone. */
export function suggest(typed: string, users: readonly User[], ownId: string, everyone: boolean): Suggestion[] {
  const begins = (name: string) => name.toLowerCase().startsWith(typed.toLowerCase());
  const all = everyone && begins('room') ? [{ name: 'room', note: 'everyone here' }] : [];
  const members = users
    .filter(({ id, name }) => id !== ownId && (begins(name) || begins(id)))
    .map(({ id, name }) => ({ name: name || id, note: name ? id : '' }));
  return [...members, ...all].slice(0, maxSuggestions);
}

/** Puts a name in the place of what was typed. Returns the text and where the caret is then. */
export function complete(text: string, { start, typed }: TypedMention, name: string): { text: string; caret: number } {
  const before = `${text.slice(0, start)}@${name} `;
  return { text: before + text.slice(start + 1 + typed.length).replace(/^ /, ''), caret: before.length };
}
