import type { Command } from '../../api/chat/v1/chat.ts';

/** Returns the total length of a command's strings in UTF-16 code units, from which the size of the command is estimated. */
export function charsOf({ command }: Command): number {
  let chars = 0;
  for (const value of Object.values(command?.value ?? {})) if (typeof value === 'string') chars += value.length;
  return chars;
}
