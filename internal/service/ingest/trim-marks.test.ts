import { expect, test } from 'vitest';
import { TrimMarks } from './trim-marks.ts';

test('a position is due when it was reached long enough ago, and is returned once', () => {
  const marks = new TrimMarks(1_000);
  marks.reached(10, 0);
  marks.reached(20, 200);
  expect(marks.takeDue(999)).toBeUndefined();
  expect(marks.takeDue(1_000)).toBe(10);
  expect(marks.takeDue(1_000)).toBeUndefined();
  expect(marks.takeDue(5_000)).toBe(20);
});

test('of positions reached shortly after each other the lower one counts, so that nothing is due too early', () => {
  const marks = new TrimMarks(1_000);
  marks.reached(10, 0);
  marks.reached(20, 50);
  expect(marks.takeDue(1_049)).toBe(10);
  marks.reached(20, 1_100);
  expect(marks.takeDue(2_100)).toBe(20);
});
