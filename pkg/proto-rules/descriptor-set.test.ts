import fc from 'fast-check';
import { snakeToCamel } from 'ts-proto/build/src/case.js';
import { expect, test } from 'vitest';
import { propertyName } from './descriptor-set.ts';

test('properties are named as ts-proto names them', () => {
  const identifier = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,12}$/).filter((name) => name.includes('_'));
  fc.assert(
    fc.property(identifier, (name) => {
      expect(propertyName(name)).toBe(snakeToCamel(name));
    }),
    { examples: [['chat_id'], ['SHOUTED_NAME'], ['ipv4_address'], ['mixed_CASE'], ['a__b'], ['_a']] },
  );
  // Left as it is without an underscore.
  expect(propertyName('URL')).toBe('URL');
});
