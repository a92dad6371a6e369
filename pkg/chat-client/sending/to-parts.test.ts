import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toParts } from './to-parts.ts';

test('the parts of a text that arrives in pieces make up the text, and no part ends inside a character', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(60)), fc.constantFrom(0, 513, 530, 1_000), (whole, cuts, maxFrameBytes) => {
      const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const parts: string[] = [];
      let held = '';
      for (const [i, end] of places.slice(1).entries()) {
        const { pieces, rest } = toParts(held + whole.slice(places[i], end), maxFrameBytes);
        parts.push(...pieces);
        held = rest;
      }
      expect(parts.join('') + held).toBe(whole);
      expect(held).toBe('');
      for (const part of parts) {
        expect(part).not.toBe('');
        expect(part.isWellFormed()).toBe(true);
      }
    }),
  );
});

test('a part fits into a frame, however its characters are written', () => {
  for (const part of toParts('\u0007'.repeat(1_000), 1_100).pieces)
    expect(JSON.stringify(part).length).toBeLessThan(1_100 - 400);
});
