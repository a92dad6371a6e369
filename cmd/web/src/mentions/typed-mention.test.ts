import { expect, test } from 'vitest';
import { complete, findTyped, suggest } from './typed-mention.ts';

const users = ['anna', 'Ben', 'bella'].map((name) => ({ id: `guest:${name.toLowerCase()}`, name }));

test.each([
  ['@be', 3, { start: 0, typed: 'be' }],
  ['hi @', 4, { start: 3, typed: '' }],
  ['(@be', 4, { start: 1, typed: 'be' }],
  ['hi @be and', 6, { start: 3, typed: 'be' }],
  ['mail@be', 7, undefined],
  ['@be now', 7, undefined],
  ['hi', 2, undefined],
])('in %j with the caret at %i the mention being typed is %j', (text, caret, expected) => {
  expect(findTyped(text, caret)).toEqual(expected);
});

test('members are suggested by the beginning of their names or ids, and everyone to those who may', () => {
  const names = (typed: string, everyone = false) =>
    suggest(typed, users, 'guest:anna', everyone).map(({ name }) => name);
  expect(names('be')).toEqual(['Ben', 'bella']);
  expect(names('guest:bella')).toEqual(['bella']);
  expect(names('a')).toEqual([]);
  expect(names('', true)).toEqual(['Ben', 'bella', 'room']);
  expect(names('r')).toEqual([]);
});

test('the name takes the place of what was typed', () => {
  expect(complete('hi @be and', { start: 3, typed: 'be' }, 'Ben')).toEqual({ text: 'hi @Ben and', caret: 8 });
  expect(complete('@', { start: 0, typed: '' }, 'Ben')).toEqual({ text: '@Ben ', caret: 5 });
});
