import { plainLine, shorten } from '../text/plain-text.ts';
import { type Command, commands, usageOf } from './commands.ts';

/** The meaning of a typed line. */
export type Line =
  | { kind: 'nothing' }
  | { kind: 'message'; text: string }
  | { kind: 'command'; command: Command; argument: string; messageSeq?: number }
  | { kind: 'fault'; message: string };

const wholeNumber = /^[1-9]\d{0,3}$/;
const messageNumber = /^#(\d{1,15})(?:\s+(.*))?$/s;
/** A message that must be named. */
const namedMessage = /^(?:#?(\d{1,15})|last)(?:\s+(.*))?$/s;

/** Parses a line: a command if it begins with a slash, else a message. `//text` is the message `/text`. */
export function readLine(line: string): Line {
  if (line.trim() === '') return { kind: 'nothing' };
  if (line.startsWith('//')) return { kind: 'message', text: line.slice(1) };
  if (!line.startsWith('/')) return { kind: 'message', text: line };
  const [, name = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(line.slice(1).trim()) ?? [];
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    return { kind: 'fault', message: `Unknown command: /${shorten(plainLine(name), 40)}. Type /help.` };
  }
  const { parameters } = command;
  if (parameters.startsWith('<#n|last>')) {
    const named = namedMessage.exec(rest);
    const text = named?.[2]?.trim() ?? '';
    if (!named || (text === '' && parameters.endsWith('>')))
      return { kind: 'fault', message: `Usage: ${usageOf(command)}` };
    const [, seq] = named;
    return { kind: 'command', command, argument: text, ...(seq !== undefined && { messageSeq: Number(seq) }) };
  }
  const numbered = parameters.startsWith('[#n]') ? messageNumber.exec(rest) : null;
  const argument = numbered ? (numbered[2] ?? '') : rest;
  if (!fits(parameters.replace('[#n]', '').trim(), argument)) {
    return { kind: 'fault', message: `Usage: ${usageOf(command)}` };
  }
  return { kind: 'command', command, argument, ...(numbered && { messageSeq: Number(numbered[1]) }) };
}

function fits(parameter: string, argument: string): boolean {
  if (argument === '') return !parameter.startsWith('<');
  if (parameter === '<text>') return true;
  return (
    parameter !== '' &&
    !/\s/.test(argument) &&
    (parameter !== '[n]' || wholeNumber.test(argument)) &&
    (parameter !== '[hours]' || argument === '0' || wholeNumber.test(argument))
  );
}
