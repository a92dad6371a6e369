import { describe, expect, test } from 'vitest';
import { commands, helpText, usageOf } from './commands.ts';
import { readLine } from './read-line.ts';

describe('a typed line', () => {
  test.each(['', '   ', '\t'])('%j asks for nothing', (line) => {
    expect(readLine(line)).toEqual({ kind: 'nothing' });
  });

  test.each([
    ['Hey team!', 'Hey team!'],
    ['  indented', '  indented'],
    [' /join', ' /join'],
    ['//join us', '/join us'],
    ['///', '//'],
  ])('%j is the message %j', (line, text) => {
    expect(readLine(line)).toEqual({ kind: 'message', text });
  });

  test.each([
    ['/users', 'users', ''],
    ['/users development', 'users', 'development'],
    ['/join   development  ', 'join', 'development'],
    ['/dm bob', 'dm', 'bob'],
    ['/history', 'history', ''],
    ['/history 50', 'history', '50'],
    ['/exit', 'exit', ''],
    ['/edit  two  words ', 'edit', 'two  words'],
    ['/edit #tag first', 'edit', '#tag first'],
    ['/delete', 'delete', ''],
    ['/reply last 7', 'reply', '7'],
    ['/thread last', 'thread', ''],
  ])('%j is a command', (line, name, argument) => {
    expect(readLine(line)).toMatchObject({ kind: 'command', command: { name }, argument });
  });

  test.each([
    ['/edit #12 new text', 'edit', 12, 'new text'],
    ['/edit #12 #13', 'edit', 12, '#13'],
    ['/delete #7', 'delete', 7, ''],
    ['/reply #7 yes,  indeed', 'reply', 7, 'yes,  indeed'],
    ['/reply 7 yes', 'reply', 7, 'yes'],
    ['/react #7 👍', 'react', 7, '👍'],
    ['/thread #7', 'thread', 7, ''],
    ['/thread 7 more', 'thread', 7, 'more'],
  ])('%j names a message', (line, name, messageSeq, argument) => {
    expect(readLine(line)).toMatchObject({ kind: 'command', command: { name }, messageSeq, argument });
  });

  test.each([
    ['/edit', 'Usage: /edit [#n] <text>'],
    ['/edit #12', 'Usage: /edit [#n] <text>'],
    ['/delete 12', 'Usage: /delete [#n]'],
    ['/delete #12 now', 'Usage: /delete [#n]'],
    ['/reply', 'Usage: /reply <#n|last> <text>'],
    ['/react last', 'Usage: /react <#n|last> <emoji>'],
    ['/reply yes', 'Usage: /reply <#n|last> <text>'],
    ['/reply #7', 'Usage: /reply <#n|last> <text>'],
    ['/thread', 'Usage: /thread <#n|last> [text]'],
    ['/join', 'Usage: /join <room>'],
    ['/join two words', 'Usage: /join <room>'],
    ['/dm', 'Usage: /dm <user>'],
    ['/leave now', 'Usage: /leave'],
    ['/history all', 'Usage: /history [n]'],
    ['/history 0', 'Usage: /history [n]'],
    ['/history 12345', 'Usage: /history [n]'],
    ['/unread 12', 'Usage: /unread [#n]'],
    ['/mute forever', 'Usage: /mute [hours]'],
    ['/mute -1', 'Usage: /mute [hours]'],
    ['/foo', 'Unknown command: /foo. Type /help.'],
    ['/JOIN x', 'Unknown command: /JOIN. Type /help.'],
    ['/', 'Unknown command: /. Type /help.'],
    ['/\x1b[2Jx', 'Unknown command: /x. Type /help.'],
  ])('%j is answered with %j', (line, message) => {
    expect(readLine(line)).toEqual({ kind: 'fault', message });
  });
});

test('the help names every command with its usage and what it does', () => {
  for (const command of commands) {
    expect(helpText()).toMatch(
      new RegExp(`^  ${RegExp.escape(usageOf(command))} +${RegExp.escape(command.summary)}$`, 'm'),
    );
  }
});

test('the help fits in eighty columns', () => {
  expect(
    Math.max(
      ...helpText()
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThan(80);
});
