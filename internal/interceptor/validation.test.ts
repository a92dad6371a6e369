import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { assertValid, loadRules } from './validation.ts';

const descriptors = readFileSync(new URL('../../pkg/api/descriptors.json', import.meta.url), 'utf8');
const contract = (JSON.parse(descriptors) as { file: { name: string }[] }).file.filter(({ name }) =>
  /^(chat|auth)\//.test(name),
);

test('every pattern of the contract has a description in words', () => {
  const patterns = [...JSON.stringify(contract).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, pattern]) => JSON.parse(pattern!) as string,
  );
  expect(patterns.length).toBeGreaterThan(5);
  for (const pattern of new Set(patterns)) {
    const description = `must match the pattern ${pattern}`;
    const refuse = () => assertValid(() => [{ field: 'name', description }], {});
    expect(refuse).toThrow(/^name must/);
    expect(refuse).not.toThrow(pattern);
  }
});

test('a value that breaks a rule is refused with the field and the reason', () => {
  const validate = loadRules()('auth.v1.GuestRequest');
  expect(() => assertValid(validate, { name: '_x' })).toThrow(
    'name must consist of letters, digits, "_", "-" and ".", and start with a letter or digit',
  );
  expect(() => assertValid(validate, { name: 'alice' })).not.toThrow();
});
