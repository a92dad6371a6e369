import { describe, expect, test } from 'vitest';
import { toStoredEmoji } from './emoji.ts';

describe('an emoji', () => {
  test.each([
    ['of one character', '👍', '👍'],
    ['with a skin tone', '👍🏽', '👍🏽'],
    ['joined from several', '👩‍👩‍👧', '👩‍👩‍👧'],
    ['that is a flag', '🇩🇪', '🇩🇪'],
    ['that is a flag of tags', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
    ['that is a keycap', '1️⃣', '1️⃣'],
    ['without the selector of a keycap', '1\u20E3', '1\uFE0F\u20E3'],
    ['that text shows as a character by default', '❤', '❤\uFE0F'],
    ['with the selector already', '❤\uFE0F', '❤\uFE0F'],
    ['that lacks two selectors', '👁\u200D🗨', '👁\uFE0F\u200D🗨\uFE0F'],
    ['with a skin tone and without a selector', '⛹🏽\u200D♂', '⛹🏽\u200D♂\uFE0F'],
  ])('%s is stored in its full form', (_, emoji, stored) => {
    expect(toStoredEmoji(emoji, false)).toBe(stored);
  });

  test.each(['', 'a', '1', '👍👍', '👍 ', '\u200D', '\uFE0F', '🏽👍', '👍\u200D👍', ':party:'])(
    'is none of these: %j',
    (text) => {
      expect(() => toStoredEmoji(text, false)).toThrow('emoji must be one emoji');
    },
  );

  test('may be a short code where these are allowed', () => {
    expect(toStoredEmoji(':party_parrot+1:', true)).toBe(':party_parrot+1:');
    for (const wrong of [':Party:', '::', ':a', `:${'a'.repeat(33)}:`])
      expect(() => toStoredEmoji(wrong, true)).toThrow('a short code such as :party:');
  });
});
