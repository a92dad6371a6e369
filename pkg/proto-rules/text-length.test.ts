import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codePoints, hasAtLeast, hasAtMost, hasExactly } from './text-length.ts';

// UTF-16 units, so that whole and half surrogate pairs are frequent.
const units = fc.oneof(
  fc.constantFrom('a', 'é', '😀', '\ud83d', '\ude00'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const text = fc.array(units, { maxLength: 20 }).map((parts) => parts.join(''));

describe('the length of a text', () => {
  test('is the number of its code points', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(codePoints(value)).toBe([...value].length);
      }),
    );
  });

  test('decides the limits, however many UTF-16 units it has', () => {
    fc.assert(
      fc.property(text, fc.nat(25), (value, limit) => {
        const length = [...value].length;
        expect(hasAtMost(value, limit)).toBe(length <= limit);
        expect(hasAtLeast(value, limit)).toBe(length >= limit);
        expect(hasExactly(value, limit)).toBe(length === limit);
      }),
      { numRuns: 1000 },
    );
  });
});
