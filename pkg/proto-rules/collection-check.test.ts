import { describe, expect, test } from 'vitest';
import type { FieldJson, MessageJson } from './descriptor-set.ts';
import { compileMessages, compileOne, withRules } from './testing/one-field.ts';

const strings = { type: 'TYPE_STRING', label: 'LABEL_REPEATED' };

function compileMap(key: string, value: string, rules: object) {
  const entry: MessageJson = {
    name: 'ValueEntry',
    field: [
      { name: 'key', type: key },
      { name: 'value', type: value },
    ],
    options: { mapEntry: true },
  };
  const field = { type: 'TYPE_MESSAGE', typeName: '.test.v1.One.ValueEntry', label: 'LABEL_REPEATED' };
  return compileOne(field, { map: rules }, [entry]);
}

describe('rules of a list', () => {
  test('min_items and max_items limit its length', () => {
    const validate = compileOne(strings, { repeated: { minItems: '1', maxItems: '2' } });
    expect(validate(['a'])).toEqual([]);
    expect(validate(['a', 'b'])).toEqual([]);
    expect(validate([])).toEqual(['value: must have at least 1 item']);
    expect(validate(['a', 'b', 'c'])).toEqual(['value: must have at most 2 items']);
  });

  test('unique names each item that was there before', () => {
    const validate = compileOne(strings, { repeated: { unique: true } });
    expect(validate(['a', 'b', 'A'])).toEqual([]);
    expect(validate(['a', 'b', 'a', 'a'])).toEqual([
      'value[2]: must not repeat an earlier item',
      'value[3]: must not repeat an earlier item',
    ]);
    expect(compileOne(strings, { repeated: { unique: false } })(['a', 'a'])).toEqual([]);
  });

  test('items are checked one by one', () => {
    const validate = compileOne(strings, { repeated: { minItems: '3', items: { string: { minLen: '2' } } } });
    expect(validate(['ab', 'bc', 'cd'])).toEqual([]);
    expect(validate(['ab', 'b'])).toEqual([
      'value: must have at least 3 items',
      'value[1]: must have at least 2 characters',
    ]);
  });

  test('a list over its maximum is reported for that alone', () => {
    const rules = { repeated: { maxItems: '1', unique: true, items: { string: { minLen: '1' } } } };
    expect(compileOne(strings, rules)(['', ''])).toEqual(['value: must have at most 1 item']);
  });

  test.each([
    [strings, { repeated: { someItems: '1' } }, 'the rule repeated.some_items is not understood'],
    [strings, { repeated: { items: { string: { ip: true } } } }, 'the rule string.ip is not understood'],
    [{ ...strings, type: 'TYPE_BYTES' }, { repeated: { unique: true } }, 'does not fit items of TYPE_BYTES'],
    [{ ...strings, type: 'TYPE_MESSAGE' }, { repeated: { unique: true } }, 'does not fit items of TYPE_MESSAGE'],
  ])('%o %o is refused', (field: Partial<FieldJson>, rules, message) => {
    expect(() => compileOne(field, rules)).toThrow(`test.proto: test.v1.One.value: `);
    expect(() => compileOne(field, rules)).toThrow(message);
  });
});

describe('rules of a map', () => {
  test('min_pairs and max_pairs limit its size', () => {
    const validate = compileMap('TYPE_STRING', 'TYPE_INT64', { minPairs: '1', maxPairs: '2' });
    expect(validate({ a: 1 })).toEqual([]);
    expect(validate({ a: 1, b: 2 })).toEqual([]);
    expect(validate({})).toEqual(['value: must have at least 1 entry']);
    expect(validate({ a: 1, b: 2, c: 3 })).toEqual(['value: must have at most 2 entries']);
  });

  test('keys and values are reported under the key', () => {
    const rules = { keys: { string: { maxLen: '1' } }, values: { int64: { gte: '0' } } };
    const validate = compileMap('TYPE_STRING', 'TYPE_INT64', rules);
    expect(validate({ a: 0, b: 1 })).toEqual([]);
    expect(validate({ a: -1, 'b"c': 1, 'd.e': -1 })).toEqual([
      'value["a"]: must be at least 0',
      'value["b\\"c"]: must have at most 1 character',
      'value["d.e"]: must have at most 1 character',
      'value["d.e"]: must be at least 0',
    ]);
  });

  test('numeric keys are numbers', () => {
    const validate = compileMap('TYPE_INT32', 'TYPE_STRING', { keys: { int32: { in: [9] } } });
    expect(validate({ 9: '' })).toEqual([]);
    expect(validate({ 10: '' })).toEqual(['value[10]: must be one of 9']);
  });

  test('a map over its maximum is reported for that alone', () => {
    const rules = { maxPairs: '1', values: { int64: { gte: '0' } } };
    expect(compileMap('TYPE_STRING', 'TYPE_INT64', rules)({ a: -1, b: -1 })).toEqual([
      'value: must have at most 1 entry',
    ]);
  });

  test('a long key is cut in the path', () => {
    const validate = compileMap('TYPE_STRING', 'TYPE_INT64', { keys: { string: { maxLen: '9' } } });
    expect(validate({ ['x'.repeat(64)]: 1 })).toEqual([`value["${'x'.repeat(64)}"]: must have at most 9 characters`]);
    expect(validate({ ['x'.repeat(100_000)]: 1 })).toEqual([
      `value["${'x'.repeat(64)}…"]: must have at most 9 characters`,
    ]);
  });

  test.each([
    ['TYPE_STRING', { noSparse: true }, 'the rule map.no_sparse is not understood'],
    ['TYPE_STRING', { keys: { int32: { gt: 1 } } }, 'rules of int32 do not fit'],
    ['TYPE_BOOL', { minPairs: '1' }, 'bool keys'],
  ])('with keys of %s: %o is refused', (key, rules, message) => {
    expect(() => compileMap(key, 'TYPE_INT64', rules)).toThrow(message);
  });
});

describe('messages in lists and maps', () => {
  const item: MessageJson = {
    name: 'Item',
    field: [{ name: 'its_text', type: 'TYPE_STRING', options: withRules({ string: { minLen: '1' } }) }],
  };
  const list = { name: 'items', type: 'TYPE_MESSAGE', typeName: '.test.v1.Item', label: 'LABEL_REPEATED' };

  test('items of a list are looked into', () => {
    const validate = compileMessages([{ name: 'Holder', field: [list] }, item])('Holder');
    expect(validate({ items: [{ itsText: 'a' }] })).toEqual([]);
    expect(validate({ items: [{ itsText: 'a' }, { itsText: '' }] })).toMatchObject([{ field: 'items[1].its_text' }]);
  });

  test('skip leaves them alone', () => {
    const options = withRules({ repeated: { items: { message: { skip: true } } } });
    const validate = compileMessages([{ name: 'Holder', field: [{ ...list, options }] }, item])('Holder');
    expect(validate({ items: [{ itsText: '' }] })).toEqual([]);
  });

  test('values of a map are looked into', () => {
    const entry: MessageJson = {
      name: 'ByNameEntry',
      field: [
        { name: 'key', type: 'TYPE_STRING' },
        { name: 'value', type: 'TYPE_MESSAGE', typeName: '.test.v1.Item' },
      ],
      options: { mapEntry: true },
    };
    const field = { ...list, name: 'by_name', typeName: '.test.v1.Holder.ByNameEntry' };
    const validate = compileMessages([{ name: 'Holder', field: [field], nestedType: [entry] }, item])('Holder');
    expect(validate({ byName: { a: { itsText: 'a' } } })).toEqual([]);
    expect(validate({ byName: { a: { itsText: '' } } })).toMatchObject([{ field: 'by_name["a"].its_text' }]);
  });
});
