import { plainLine, shorten } from '../text/plain-text.ts';
import { type Command, commands, usageOf } from './commands.ts';

/** The meaning of a typed line. */
export type Line =
  | { kind: 'nothing' }
  | { kind: 'message'; text: string }
  | { kind: 'command'; command: Command; argument: string }
  | { kind: 'fault'; message: string };

const wholeNumber = /^[1-9]\d{0,3}$/;

/** Parses a line: a command if it begins with a slash, else a message. `//text` is the message `/text`. */
export function readLine(line: string): Line {
  if (line.trim() === '') return { kind: 'nothing' };
  if (line.startsWith('//')) return { kind: 'message', text: line.slice(1) };
  if (!line.startsWith('/')) return { kind: 'message', text: line };
  const [name = '', ...words] = line.slice(1).trim().split(/\s+/);
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    return { kind: 'fault', message: `Unknown command: /${shorten(plainLine(name), 40)}. Type /help.` };
  }
  const [argument = ''] = words;
  if (!fits(command, words)) return { kind: 'fault', message: `Usage: ${usageOf(command)}` };
  return { kind: 'command', command, argument };
}

function fits({ parameters }: Command, words: readonly string[]): boolean {
  const [word] = words;
  if (words.length > (parameters === '' ? 0 : 1)) return false;
  if (word === undefined) return !parameters.startsWith('<');
  return parameters !== '[n]' || wholeNumber.test(word);
}
