import { expect, test } from 'vitest';
import { dayKey, dayLabel } from './dates.ts';

const now = new Date(2026, 2, 30, 0, 30);

test('days are told from the reader’s midnight, also over a change of the clocks', () => {
  expect(dayLabel(new Date(2026, 2, 30, 0, 1), now)).toBe('Today');
  expect(dayLabel(new Date(2026, 2, 29, 23, 59), now)).toBe('Yesterday');
  expect(dayLabel(new Date(2026, 2, 29, 0, 1), now)).toBe('Yesterday');
  expect(dayLabel(new Date(2026, 2, 28, 12), now)).toMatch(/^Saturday$/i);
  expect(dayLabel(new Date(2025, 11, 31, 12), now)).toContain('2025');
});

test('the moments of a day have the same key, those of others have other ones', () => {
  expect(dayKey(new Date(2026, 0, 11, 0, 0))).toBe(dayKey(new Date(2026, 0, 11, 23, 59)));
  expect(dayKey(new Date(2026, 0, 11))).not.toBe(dayKey(new Date(2026, 10, 1)));
});
