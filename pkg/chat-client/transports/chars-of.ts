import type { Command } from '../../api/chat/v1/chat.ts';

/** The characters of a command's strings, in UTF-16 units: what makes one command longer than another. */
export function charsOf({ command }: Command): number {
  let chars = 0;
  for (const value of Object.values(command?.value ?? {})) if (typeof value === 'string') chars += value.length;
  return chars;
}
