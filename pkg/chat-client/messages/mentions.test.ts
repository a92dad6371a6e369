import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findMentions, textParts } from './mentions.ts';

const ann = { id: 'guest:ann', name: 'ann' };
const anna = { id: 'guest:anna', name: 'Anna' };
const spaced = { id: 'u-7', name: 'Zoë 😀 B' };
const users = [ann, anna, spaced, undefined];

test.each([
  ['hi @anna!', ['guest:anna'], ['@anna']],
  ['@ann, @ANNA', ['guest:ann', 'guest:anna'], ['@ann', '@ANNA']],
  ['😀 @zoë 😀 b and @u-7', ['u-7', 'u-7'], ['@zoë 😀 b', '@u-7']],
  ['@annabel, mail@ann, @, @nobody', [], []],
  ['@@ann', ['guest:ann'], ['@ann']],
])('%j mentions %j', (text, userIds, shown) => {
  const mentions = findMentions(text, users);
  expect(mentions.map(({ userId }) => userId)).toEqual(userIds);
  const parts = textParts({ text, mentions });
  expect(parts.filter(({ mention }) => mention).map((part) => part.text)).toEqual(shown);
});

test('everyone is mentioned only if that is allowed', () => {
  expect(findMentions('@room @all', users)).toEqual([]);
  expect(findMentions('@room @all', users, { everyone: true })).toEqual([
    { userId: '', everyone: true, offset: 0, length: 5 },
    { userId: '', everyone: true, offset: 6, length: 4 },
  ]);
});

test('the parts of a text are the whole text, and its mentions are in order, whatever is typed', () => {
  const word = fc.constantFrom('@', 'ann', 'Anna', '😀', ' ', 'Zoë 😀 B', 'x', '\n', '@ann ', '@u-7');
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const text = words.join('');
      const mentions = findMentions(text, users);
      const parts = textParts({ text, mentions });
      expect(parts.map((part) => part.text).join('')).toBe(text);
      expect(parts.flatMap(({ mention }) => (mention ? [mention] : []))).toEqual(mentions);
      for (const part of parts) if (part.mention) expect(part.text).toMatch(/^@./u);
    }),
  );
});
