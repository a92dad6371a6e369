import { type FieldJson, mapEntryOf, type TypeIndex } from '../descriptor-set.ts';
import type { FieldRulesJson } from '../field-rules.ts';
import { protoName } from '../rule.ts';
import { allowedNumbers, patternSamples, rulesOf, validEntries, validItems, validValue } from './valid-values.ts';

/** A value that only just keeps a rule, or one that breaks it. */
export interface RuleCase {
  /** `string.min_len`, `repeated.items.string.pattern`. */
  rule: string;
  value: unknown;
  /** Where a value that breaks the rule is reported, seen from the field, and what is said of it. */
  broken?: { at: string; says: string };
}

/** The cases of every rule of a field. Throws on a rule that there is no case for. */
export function casesOf(types: TypeIndex, field: FieldJson, rules: FieldRulesJson = rulesOf(field)): RuleCase[] {
  return Object.entries(rules).flatMap(([kind, json]) =>
    Object.entries(json).flatMap(([name, operand]) => {
      const makeCases = makers[/^u?int(32|64)$/.test(kind) ? 'number' : kind]?.[name];
      if (!makeCases) throw new Error(`no case for the rule ${kind}.${protoName(name)} of ${field.name}: write one`);
      const place = `${kind}.${protoName(name)}`;
      const cases = makeCases(operand as never, { types, field, rules });
      return cases.map(({ rule, ...rest }) => ({ rule: rule ? `${place}.${rule}` : place, ...rest }));
    }),
  );
}

interface Place {
  types: TypeIndex;
  field: FieldJson;
  rules: FieldRulesJson;
}

type Maker = (operand: never, place: Place) => RuleCase[];

function good(value: unknown): RuleCase {
  return { rule: '', value };
}

function bad(value: unknown, says: string, at = ''): RuleCase {
  return { rule: '', value, broken: { at, says } };
}

function charactersFor({ string }: FieldRulesJson): string[] {
  return string?.pattern === undefined ? ['a', '😀'] : sampleOf(string.pattern).characters;
}

function sampleOf(pattern: string) {
  const sample = patternSamples[pattern];
  if (!sample) throw new Error(`no sample for the pattern ${pattern}: add one`);
  return sample;
}

const required: Maker = () => [bad(undefined, 'must be set')];

const makers: Record<string, Record<string, Maker>> = {
  string: {
    minLen: (min: string, { rules }) =>
      charactersFor(rules).flatMap((character) => [
        good(character.repeat(Number(min))),
        bad(character.repeat(Number(min) - 1), `at least ${min} character`),
      ]),
    maxLen: (max: string, { rules }) =>
      charactersFor(rules).flatMap((character) => [
        good(character.repeat(Number(max))),
        bad(character.repeat(Number(max) + 1), `at most ${max} character`),
      ]),
    pattern: (pattern: string, { rules }) => [
      ...sampleOf(pattern).characters.map((character) => good(character.repeat(Number(rules.string?.minLen ?? 1)))),
      bad(sampleOf(pattern).counterExample, `must match the pattern ${pattern}`),
    ],
    uuid: (_: true, { types, field, rules }) => {
      const uuid = String(validValue(types, field, rules));
      return [
        good(uuid),
        ...[uuid.slice(1), `${uuid}0`, uuid.replace('0', 'g')].map((value) => bad(value, 'must be a UUID')),
      ];
    },
  },
  number: {
    gte: (min: string) => [good(Number(min)), bad(Number(min) - 1, `at least ${min}`)],
    lte: (max: string) => [good(Number(max)), bad(Number(max) + 1, `at most ${max}`)],
  },
  enum: {
    definedOnly: (_: true, { types, field, rules }) => {
      const allowed = allowedNumbers(types, field, rules);
      return [...allowed.map(good), bad(Math.max(...allowed) + 1, 'must be one of'), bad(-1, 'must be one of')];
    },
    notIn: (numbers: number[]) => numbers.map((number) => bad(number, 'must')),
  },
  message: { required },
  timestamp: { required },
  repeated: {
    minItems: (min: string, { types, field }) => [
      good(validItems(types, field, Number(min))),
      bad(validItems(types, field, Number(min) - 1), `at least ${min} item`),
    ],
    maxItems: (max: string, { types, field }) => [
      good(validItems(types, field, Number(max))),
      bad(validItems(types, field, Number(max) + 1), `at most ${max} item`),
    ],
    unique: (_: true, { types, field }) => {
      const [first, second] = validItems(types, field, 2);
      return [good([first, second]), bad([first, second, first], 'must not repeat an earlier item', '[2]')];
    },
    items: (items: FieldRulesJson, { types, field }) =>
      casesOf(types, field, items).map((one) => inside(one, [...validItems(types, field, 1), one.value], '[1]')),
  },
  map: {
    maxPairs: (max: string, { types, field }) => [
      good(validEntries(types, field, Number(max))),
      bad(validEntries(types, field, Number(max) + 1), `at most ${max} entries`),
    ],
    keys: (keys: FieldRulesJson, { types, field, rules }) => {
      const { key, value } = mapEntryOf(types, field)!;
      const valid = validValue(types, value, rules.map?.values);
      return casesOf(types, key, keys).map((one) =>
        inside(one, { [String(one.value)]: valid }, `[${JSON.stringify(one.value)}]`),
      );
    },
    values: (values: FieldRulesJson, { types, field, rules }) => {
      const { key, value } = mapEntryOf(types, field)!;
      const valid = validValue(types, key, rules.map?.keys);
      return casesOf(types, value, values).map((one) =>
        inside(one, { [String(valid)]: one.value }, `[${JSON.stringify(valid)}]`),
      );
    },
  },
};

/** The case of a part as one of the whole that holds it at a place. */
function inside({ rule, broken }: RuleCase, whole: unknown, at: string): RuleCase {
  return { rule, value: whole, broken: broken && { at: at + broken.at, says: broken.says } };
}
