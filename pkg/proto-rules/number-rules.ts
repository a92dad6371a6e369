import { makeRules, type Rule, type RuleTable } from './rule.ts';

/** The numeric kinds of `validate.FieldRules`. */
export const numberKinds = [
  'float',
  'double',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
] as const;

export type NumberKind = (typeof numberKinds)[number];

type Operand = number | string;

/** `validate.Int32Rules` and its like in JSON; 64-bit numbers are strings. */
export interface NumberRulesJson extends RangeJson {
  const?: Operand;
  in?: Operand[];
  notIn?: Operand[];
}

interface RangeJson {
  lt?: Operand;
  lte?: Operand;
  gt?: Operand;
  gte?: Operand;
}

/**
 * Compiles the rules of a numeric field. NaN violates every rule except `not_in`. Throws on a 64-bit number that
 * JavaScript's numbers cannot hold, and on limits that contradict each other.
 */
export function numberRules(kind: NumberKind, json: NumberRulesJson): Rule<number>[] {
  const { lt, lte, gt, gte, ...others } = json;
  return [...rangeRules(kind, { lt, lte, gt, gte }), ...makeRules(kind, setTable(kind), others)];
}

function setTable(kind: NumberKind): RuleTable<Omit<NumberRulesJson, keyof RangeJson>, number> {
  return {
    const: (operand) => {
      const expected = toNumber(kind, operand);
      return { holds: (value) => value === expected, description: `must be ${operand}` };
    },
    in: (operands) => {
      const allowed = new Set(operands.map((operand) => toNumber(kind, operand)));
      return { holds: (value) => allowed.has(value), description: `must be one of ${operands.join(', ')}` };
    },
    notIn: (operands) => {
      const refused = new Set(operands.map((operand) => toNumber(kind, operand)));
      return { holds: (value) => !refused.has(value), description: `must not be one of ${operands.join(', ')}` };
    },
  };
}

interface Limit {
  readonly value: number;
  readonly inclusive: boolean;
  readonly phrase: string;
}

function rangeRules(kind: NumberKind, json: RangeJson): Rule<number>[] {
  const lower = toLimit(kind, json.gt, json.gte, 'greater than', 'at least');
  const upper = toLimit(kind, json.lt, json.lte, 'less than', 'at most');
  const isAbove = (value: number) =>
    lower !== undefined && (lower.inclusive ? value >= lower.value : value > lower.value);
  const isBelow = (value: number) =>
    upper !== undefined && (upper.inclusive ? value <= upper.value : value < upper.value);

  if (lower && upper) {
    if (lower.value === upper.value) throw new Error(`the limits of ${kind} are equal; say const`);
    // As validate.proto defines: if the lower limit is above the upper one, values outside of the two are valid.
    if (lower.value > upper.value) {
      return [
        {
          holds: (value) => isAbove(value) || isBelow(value),
          description: `must be ${upper.phrase} or ${lower.phrase}`,
        },
      ];
    }
    return [
      {
        holds: (value) => isAbove(value) && isBelow(value),
        description: `must be ${lower.phrase} and ${upper.phrase}`,
      },
    ];
  }
  if (lower) return [{ holds: isAbove, description: `must be ${lower.phrase}` }];
  if (upper) return [{ holds: isBelow, description: `must be ${upper.phrase}` }];
  return [];
}

function toLimit(
  kind: NumberKind,
  exclusive: Operand | undefined,
  inclusive: Operand | undefined,
  exclusiveWords: string,
  inclusiveWords: string,
): Limit | undefined {
  if (exclusive !== undefined && inclusive !== undefined) {
    throw new Error(`the rules of ${kind} have two limits on one side`);
  }
  if (exclusive !== undefined) {
    return { value: toNumber(kind, exclusive), inclusive: false, phrase: `${exclusiveWords} ${exclusive}` };
  }
  if (inclusive !== undefined) {
    return { value: toNumber(kind, inclusive), inclusive: true, phrase: `${inclusiveWords} ${inclusive}` };
  }
  return undefined;
}

function toNumber(kind: NumberKind, operand: Operand): number {
  const value = Number(operand);
  if (Number.isNaN(value)) throw new Error(`the rules of ${kind} have NaN`);
  // JSON holds the shortest decimal of a float; the wire holds that number rounded to 32 bits.
  if (kind === 'float') return Math.fround(value);
  if (kind !== 'double' && !Number.isSafeInteger(value)) {
    throw new Error(`the number ${operand} in the rules of ${kind} is not a safe integer`);
  }
  return value;
}
