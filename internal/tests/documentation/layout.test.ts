import { expect, test } from 'vitest';
import { pages } from './markdown-page.ts';

const maxColumns = 120;

/** To be wrapped yet. */
const unwrapped = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];

test('lines of prose have at most 120 columns, but for links that are longer', () => {
  const wrapped = pages.filter(({ path }) => !unwrapped.includes(path));
  const tooLong = wrapped.flatMap(({ lines }) =>
    lines
      .filter(({ kind, text }) => kind === 'prose' && text.length > maxColumns)
      .filter(({ text }) => !/^[-*\s]*\S+$/.test(text))
      .map(({ at, text }) => `${at} has ${text.length} columns`),
  );
  expect(tooLong).toEqual([]);
});
