import { expect, test } from 'vitest';
import { hueOf, initialsOf } from './names.ts';

test.each([
  ['Anna Lindqvist', 'AL'],
  ['anna', 'A'],
  ['Inês Maria Carvalho', 'IC'],
  ['ben.okafor', 'BO'],
  ['Привет', 'П'],
  ['李', '李'],
  ['<b>', 'B'],
  ['…', '?'],
  ['', '?'],
])('%s is shortened to %s', (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

test('an id has always the same colour', () => {
  expect(hueOf('anna')).toBe(hueOf('anna'));
  expect(new Set(['anna', 'ben', 'carla', 'dora', 'emil'].map(hueOf)).size).toBeGreaterThan(2);
});
