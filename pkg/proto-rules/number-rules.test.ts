import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numberKinds } from './number-rules.ts';
import { compileOne } from './testing/one-field.ts';

function compileNumber(kind: string, rules: object) {
  return compileOne({ type: `TYPE_${kind.toUpperCase()}` }, { [kind]: rules });
}

const table: [rules: object, good: number[], bad: number[], description: string][] = [
  [{ const: 3 }, [3], [2, 4, Number.NaN], 'must be 3'],
  [{ lt: 3 }, [-9, 2], [3, 4, Number.NaN], 'must be less than 3'],
  [{ lte: 3 }, [-9, 3], [4, Number.NaN], 'must be at most 3'],
  [{ gt: 3 }, [4], [3, Number.NaN], 'must be greater than 3'],
  [{ gte: 0 }, [0, 1], [-1, Number.NaN], 'must be at least 0'],
  [{ gte: 1, lte: 3 }, [1, 3], [0, 4, Number.NaN], 'must be at least 1 and at most 3'],
  [{ gt: 1, lt: 3 }, [2], [1, 3], 'must be greater than 1 and less than 3'],
  [{ gt: 3, lte: 1 }, [1, 4], [2, 3, Number.NaN], 'must be at most 1 or greater than 3'],
  [{ in: [1, 2] }, [1, 2], [0, 3], 'must be one of 1, 2'],
  [{ notIn: [1, 2] }, [0, 3], [1, 2], 'must not be one of 1, 2'],
];

describe('number rules', () => {
  test.each(table)('%o', (rules, good, bad, description) => {
    const validate = compileNumber('int32', rules);
    for (const value of good) expect(validate(value), `${value}`).toEqual([]);
    for (const value of bad) expect(validate(value), `${value}`).toEqual([`value: ${description}`]);
  });

  test.each(numberKinds)('hold for %s', (kind) => {
    const operand = kind.includes('64') ? '2' : 2;
    const validate = compileNumber(kind, { gte: operand, notIn: [operand] });
    expect(validate(3)).toEqual([]);
    expect(validate(2)).toEqual(['value: must not be one of 2']);
    expect(validate(1)).toEqual(['value: must be at least 2']);
  });

  test('take a range the wrong way round for what is outside of it', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (value, gte, lt) => {
        fc.pre(gte !== lt);
        const isValid = lt > gte ? value >= gte && value < lt : value >= gte || value < lt;
        expect(compileNumber('int32', { gte, lt })(value).length === 0).toBe(isValid);
      }),
    );
  });

  test('compare a float with what 32 bits hold of the rule', () => {
    const validate = compileNumber('float', { const: 0.1 });
    expect(validate(Math.fround(0.1))).toEqual([]);
  });

  test('take infinite limits', () => {
    const validate = compileNumber('double', { lt: 'Infinity', gt: '-Infinity' });
    expect(validate(1e308)).toEqual([]);
    expect(validate(Number.POSITIVE_INFINITY)).toHaveLength(1);
  });

  test.each([
    ['int64', { lte: '9223372036854775807' }, 'not a safe integer'],
    ['double', { lte: 'NaN' }, 'NaN'],
    ['int32', { lt: 1, lte: 2 }, 'two limits on one side'],
    ['int32', { gt: 1, gte: 2 }, 'two limits on one side'],
    ['int32', { gte: 1, lte: 1 }, 'say const'],
    ['int32', { multipleOf: 2 }, 'the rule int32.multiple_of is not understood'],
  ])('of %s %o are refused', (kind, rules, message) => {
    expect(() => compileNumber(kind, rules)).toThrow(message);
  });
});
