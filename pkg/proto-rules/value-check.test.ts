import { describe, expect, test } from 'vitest';
import { compileOne } from './testing/one-field.ts';

describe('bool rules', () => {
  test('const asks for one of the two', () => {
    const validate = compileOne({ type: 'TYPE_BOOL' }, { bool: { const: true } });
    expect(validate(true)).toEqual([]);
    expect(validate(false)).toEqual(['value: must be true']);
  });
});

describe('bytes rules', () => {
  test.each([
    [{ len: '2' }, [2], [1, 3], 'must have exactly 2 bytes'],
    [{ minLen: '1' }, [1, 2], [0], 'must have at least 1 byte'],
    [{ maxLen: '2' }, [0, 2], [3], 'must have at most 2 bytes'],
  ])('%o', (rules, good, bad, description) => {
    const validate = compileOne({ type: 'TYPE_BYTES' }, { bytes: rules });
    for (const length of good) expect(validate(new Uint8Array(length))).toEqual([]);
    for (const length of bad) expect(validate(new Uint8Array(length))).toEqual([`value: ${description}`]);
  });

  test('other than of length are refused', () => {
    expect(() => compileOne({ type: 'TYPE_BYTES' }, { bytes: { prefix: 'AA==' } })).toThrow('bytes.prefix');
  });
});

describe('enum rules', () => {
  test.each([
    [{ const: 1 }, [1], [0, 5, 9], 'must be RED'],
    [{ definedOnly: true }, [0, 1, 5], [2, -1], 'must be one of COLOUR_UNSPECIFIED, RED, BLUE'],
    [{ definedOnly: true, notIn: [0] }, [1, 5], [0, 2], 'must be one of RED, BLUE'],
    [{ definedOnly: true, in: [5, 9] }, [5], [9, 0], 'must be BLUE'],
    [{ in: [1, 9] }, [1, 9], [0, 5], 'must be one of RED, 9'],
    [{ notIn: [0, 9] }, [1, 2], [0, 9], 'must not be COLOUR_UNSPECIFIED, 9'],
    [{ definedOnly: false }, [77], [], ''],
  ])('%o', (rules, good, bad, description) => {
    const validate = compileOne({ type: 'TYPE_ENUM', typeName: '.test.v1.Colour' }, { enum: rules });
    for (const value of good) expect(validate(value), `${value}`).toEqual([]);
    for (const value of bad) expect(validate(value), `${value}`).toEqual([`value: ${description}`]);
  });

  test.each([
    { const: 1, notIn: [1] },
    { const: 1, in: [5] },
    { const: 9, definedOnly: true },
  ])('that allow nothing are refused: %o', (rules) => {
    const field = { type: 'TYPE_ENUM', typeName: '.test.v1.Colour' };
    expect(() => compileOne(field, { enum: rules })).toThrow('allow no value');
  });
});

describe('rules of a well-known message', () => {
  test.each(['Timestamp', 'Duration', 'Any'])('%s: required asks for it, anything else is refused', (name) => {
    const field = { type: 'TYPE_MESSAGE', typeName: `.google.protobuf.${name}` };
    const kind = name.toLowerCase();
    const validate = compileOne(field, { [kind]: { required: true } });
    expect(validate(new Date())).toEqual([]);
    expect(validate(undefined)).toEqual(['value: must be set']);
    expect(() => compileOne(field, { [kind]: { in: ['a'] } })).toThrow(`the rule ${kind}.in is not understood`);
  });
});

describe('rules of another type', () => {
  test.each([
    [{ type: 'TYPE_STRING' }, { int32: { gt: 1 } }],
    [{ type: 'TYPE_INT32' }, { sint32: { gt: 1 } }],
    [{ type: 'TYPE_ENUM', typeName: '.test.v1.Colour' }, { int32: { gt: 1 } }],
    [{ type: 'TYPE_MESSAGE', typeName: '.google.protobuf.StringValue' }, { string: { minLen: '1' } }],
    [{ type: 'TYPE_MESSAGE', typeName: '.google.protobuf.Duration' }, { timestamp: { required: true } }],
    [{ type: 'TYPE_STRING', label: 'LABEL_REPEATED' }, { string: { minLen: '1' } }],
    [{ type: 'TYPE_STRING' }, { repeated: { minItems: '1' } }],
    [{ type: 'TYPE_STRING' }, { message: { required: true } }],
    [{ type: 'TYPE_STRING' }, { somethingNew: {} }],
  ])('are refused: %o %o', (field, rules) => {
    expect(() => compileOne(field, rules)).toThrow(/^test\.proto: test\.v1\.One\.value: rules of \w+ do not fit/);
  });
});
