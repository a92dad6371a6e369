import { expect, test } from 'vitest';
import { pages } from './markdown-page.ts';

const maxColumns = 120;

test('lines of prose have at most 120 columns, except for longer links', () => {
  const tooLong = pages.flatMap(({ lines }) =>
    lines
      .filter(({ kind, text }) => kind === 'prose' && text.length > maxColumns)
      .filter(({ text }) => !/^[-*\s]*\S+$/.test(text))
      .map(({ at, text }) => `${at} has ${text.length} columns`),
  );
  expect(tooLong).toEqual([]);
});
