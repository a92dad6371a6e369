import { expect, test } from 'vitest';
import { coverage } from './coverage.ts';
import { operations } from './index.ts';

test('every random operation exercises an operation of the contract, and what is named exists', () => {
  const named = Object.values(coverage).flatMap((covered) => ('because' in covered ? [] : covered));
  expect([...new Set(named)].sort()).toEqual(operations.map(({ name }) => name).sort());
});
