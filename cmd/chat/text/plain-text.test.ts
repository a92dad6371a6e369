import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainLine, plainName, plainText, shorten } from './plain-text.ts';

const dangerous = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Anything at all, with a good share of what is dangerous. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\x1b',
        '\x1b[',
        '\x1b]0;',
        '\x1bP',
        '\x9b',
        '\x9d',
        '\x07',
        '\x1b\\',
        '\r',
        '\n',
        '\u202e',
        '\ud800',
      ),
    ),
  )
  .map((parts) => parts.join(''));

describe('text from others', () => {
  test('never contains a control character, an escape sequence or a change of direction', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(plainText(text)).not.toMatch(dangerous);
        expect(plainText(text).isWellFormed()).toBe(true);
        expect(plainLine(text)).not.toContain('\n');
      }),
    );
  });

  test('is not changed if there is nothing wrong with it', () => {
    const harmless = fc.string({ unit: fc.constantFrom(...'aZ09 .,:;-_/\\[](){}<>|éßжשعम日本한👍🏽❤️\u200d\n') });
    fc.assert(
      fc.property(harmless, (text) => {
        expect(plainText(text)).toBe(text);
      }),
    );
  });

  test.each([
    ['a colour', '\x1b[1;31mred\x1b[0m alert', 'red alert'],
    ['a cleared screen', 'before\x1b[2J\x1b[Hafter', 'beforeafter'],
    ['a window title', '\x1b]0;title\x07text', 'text'],
    ['a clipboard write', '\x1b]52;c;aGk=\x1b\\text', 'text'],
    ['a link', '\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\', 'here'],
    ['a device control string', '\x1bPq#0\x1b\\text', 'text'],
    ['a sequence that never ends', '\x1b]0;all of this stays', '0;all of this stays'],
    ['a reset', '\x1bctext', 'text'],
    ['an 8-bit sequence', '\x9b31mtext', '\ufffd31mtext'],
    ['a bell and a backspace', 'a\x07b\x08c', 'a\ufffdb\ufffdc'],
    ['an override of direction', 'user\u202egnp.exe', 'usergnp.exe'],
    ['isolates', '\u2067שלום\u2069', 'שלום'],
    ['a tab', 'a\tb', 'a b'],
    ['line breaks of all kinds', 'a\r\nb\rc\u2028d\u2029e\x85f\vg', 'a\nb\nc\nd\ne\nf\ng'],
    ['half a surrogate pair', 'a\ud83d', 'a\ufffd'],
  ])('loses %s', (_what, text, plain) => {
    expect(plainText(text)).toBe(plain);
  });
});

describe('a name from others', () => {
  test('stays between its brackets, on one line, and can be seen', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        expect(plainName(name)).toMatch(/^[^[\]\n]{1,128}$/u);
        expect(plainName(name).trim()).not.toBe('');
      }),
    );
  });

  test.each([
    ['bob] hi\n[System', 'bob) hi (System'],
    ['\u200b\u200b', '?'],
    ['  ', '?'],
    ['bo\u200bb', 'bob'],
    ['x'.repeat(100), `${'x'.repeat(63)}…`],
  ])('%j is shown as %j', (name, shown) => {
    expect(plainName(name)).toBe(shown);
  });
});

test('a text is shortened by whole characters', () => {
  expect(shorten('👍👍👍', 3)).toBe('👍👍👍');
  expect(shorten('👍👍👍👍', 3)).toBe('👍👍…');
});
