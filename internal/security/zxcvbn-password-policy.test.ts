import { expect, test } from 'vitest';
import { fastestOf } from '../testing/fastest-of.ts';
import { ZxcvbnPasswordPolicy } from './zxcvbn-password-policy.ts';

const policy = new ZxcvbnPasswordPolicy();

test.each([
  ['password', 'one of the most common passwords'],
  ['qwertyuiop', 'common'],
  ['aaaaaaaaaaaa', 'a repetition'],
  ['abcdefghijk', 'a sequence'],
  ['alice2024', 'made of your names'],
  ['12.03.1987', 'a date'],
])('"%s" is too easy to guess, and the reason is given in words', async (password, why) => {
  const fault = await policy.findFault(password, ['alice']);
  expect(fault).toMatch(/^is too easy to guess/);
  expect(fault).toContain(why);
});

test.each(['correct horse battery staple', 'seven wooden spoons', 'x9$kLm2#qP', 'ほげほげ-ふがふが-ぴよ'])(
  '"%s" is accepted',
  async (password) => {
    expect(await policy.findFault(password, ['alice'])).toBeUndefined();
  },
);

test('the longest password is checked quickly', async () => {
  await policy.findFault('load the dictionaries', []);
  const longest = 'a1b2c3d4e5f6g7h8'.repeat(8);
  const check = (password: string) => fastestOf(20, () => policy.findFault(password, ['a1b2', 'c3d4']));
  // The time of the estimate grows with the square of what is estimated: four times as long if all of it were.
  expect(await check(longest)).toBeLessThan(3 * (await check(longest.slice(0, 64))));
});
