import { expect, test } from 'vitest';
import { operations as ofContract } from '../../model/operations.ts';
import { notAsked } from './coverage.ts';
import { operations } from './index.ts';

test('every operation of the contract is asked for at random, or there is a reason why not', () => {
  const asked = new Set(operations.flatMap(({ asks }) => asks));
  expect([...asked, ...Object.keys(notAsked)].sort()).toEqual(Object.keys(ofContract).sort());
});
