import { describe, expect, test } from 'vitest';
import { compileOne } from './testing/one-field.ts';

const id = '018f2b1e-7c6a-7d3e-9b1a-2f4c5d6e7f80';

// Rules, values that they accept, values that they refuse, what is said of those.
const table: [rules: object, good: string[], bad: string[], description: string][] = [
  [{ const: 'a' }, ['a'], ['', 'A'], 'must be "a"'],
  [{ len: '2' }, ['ab', '😀é'], ['a', 'abc', '😀'], 'must have exactly 2 characters'],
  [{ minLen: '1' }, ['a', '😀'], [''], 'must have at least 1 character'],
  [{ minLen: '2' }, ['ab', '😀a'], ['a', '😀'], 'must have at least 2 characters'],
  [{ maxLen: '2' }, ['', '😀😀'], ['abc', '😀😀😀', '😀ab'], 'must have at most 2 characters'],
  [{ lenBytes: '4' }, ['abcd', '😀', 'éé'], ['abc', 'é', 'éée'], 'must have exactly 4 bytes'],
  [{ minBytes: '3' }, ['abc', '€', 'éa'], ['ab', 'é'], 'must have at least 3 bytes'],
  [{ maxBytes: '3' }, ['', 'abc', '€', 'éa'], ['abcd', 'éé', '😀'], 'must have at most 3 bytes'],
  [{ maxBytes: '1' }, ['a'], ['é'], 'must have at most 1 byte'],
  [{ maxBytes: '2' }, ['é'], ['€'], 'must have at most 2 bytes'],
  [{ pattern: '^\\p{L}+$' }, ['aяé', '𝒳'], ['', 'a1', '😀'], 'must match the pattern ^\\p{L}+$'],
  [{ pattern: 'b+' }, ['abc'], ['ac'], 'must match the pattern b+'],
  [{ pattern: '\\(?=' }, ['='], [''], 'must match the pattern \\(?='],
  [{ prefix: 'ab' }, ['ab', 'abc'], ['', 'ba', 'a'], 'must start with "ab"'],
  [{ suffix: 'ab' }, ['ab', 'cab'], ['', 'ba', 'abc'], 'must end with "ab"'],
  [{ contains: 'ab' }, ['ab', 'cabc'], ['', 'a b'], 'must contain "ab"'],
  [{ notContains: 'ab' }, ['', 'a b'], ['ab', 'cabc'], 'must not contain "ab"'],
  [{ in: ['a', 'b"'] }, ['a', 'b"'], ['', 'c'], 'must be one of "a", "b\\""'],
  [{ notIn: ['a', 'b'] }, ['', 'c'], ['a', 'b'], 'must not be one of "a", "b"'],
  [
    { uuid: true },
    [id, id.toUpperCase(), '00000000-0000-0000-0000-000000000000'],
    ['', id.replaceAll('-', ''), `{${id}}`, ` ${id}`, id.slice(1), `${id}\n`, id.replace('0', 'g'), 'a'.repeat(36)],
    'must be a UUID',
  ],
  [
    { uri: true },
    ['https://example.org/a?b=c#d', 'mailto:a@b.c', 'urn:x:%20', 'HTTP://[::1]:80/'],
    ['', '/a', 'example.org', 'https://', 'http://a b', ' http://a', 'http://a/%2', 'http://é'],
    'must be an absolute URI',
  ],
];

describe('string rules', () => {
  test.each(table)('%o', (rules, good, bad, description) => {
    const validate = compileOne({}, { string: rules });
    for (const value of good) expect(validate(value), value).toEqual([]);
    for (const value of bad) expect(validate(value), value).toEqual([`value: ${description}`]);
  });

  test('report all that is wrong with a value', () => {
    expect(compileOne({}, { string: { minLen: '1', pattern: '^a+$', notIn: [''] } })('')).toEqual([
      'value: must have at least 1 character',
      'value: must not be one of ""',
      'value: must match the pattern ^a+$',
    ]);
  });

  test('report a text over its maximum for that alone', () => {
    expect(compileOne({}, { string: { maxLen: '3', pattern: '^a+$' } })('bbbb')).toEqual([
      'value: must have at most 3 characters',
    ]);
  });

  test('ask for nothing if they are switched off', () => {
    expect(compileOne({}, { string: { uuid: false, uri: false } })('x')).toEqual([]);
  });

  test.each(['hostname', 'email', 'ip', 'wellKnownRegex'])('%s is refused: it is not understood', (rule) => {
    expect(() => compileOne({}, { string: { [rule]: true } })).toThrow(
      /test\.v1\.One\.value: the rule string\.\w+ is not/,
    );
  });

  test.each(['(', 'a(?=b)', 'a(?!b)', '(?<!b)a', '(a)\\1', '\\u0041', '\\pL', '\\x{41}'])(
    'the pattern %s is refused',
    (pattern) => {
      expect(() => compileOne({}, { string: { pattern } })).toThrow('test.v1.One.value: ');
    },
  );
});
