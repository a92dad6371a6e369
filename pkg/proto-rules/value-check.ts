import { type FieldJson, isMessage, type TypeIndex, typeNameOf } from './descriptor-set.ts';
import { enumRules } from './enum-rules.ts';
import type { BoolRulesJson, BytesRulesJson, FieldRulesJson } from './field-rules.ts';
import type { Check } from './field-violation.ts';
import { numberKinds, numberRules } from './number-rules.ts';
import { checkRules, count, makeRules, type Rule, type RuleTable, refuseOthers, toSize } from './rule.ts';
import { stringRules } from './string-rules.ts';

/** The context in which the checks of a descriptor set are compiled. */
export interface CompileContext {
  readonly types: TypeIndex;
  /** Returns the check of a message type by its full name; `undefined` if it has none. May be called before the check is complete. */
  readonly findMessageCheck: (typeName: string) => Check | undefined;
}

/**
 * Compiles the rules of a single value of a field's type: of the field itself if it is singular, of one item, of one
 * key or value. Returns `undefined` if it has no rules. Throws on an unknown rule, and on a rule of another type.
 */
export function compileValue(field: FieldJson, rules: FieldRulesJson, context: CompileContext): Check | undefined {
  if (isMessage(field)) return compileMessageValue(field, rules, context);

  const kind = field.type.replace('TYPE_', '').toLowerCase();
  refuseOtherKinds(`a field of ${field.type}`, rules, [kind]);
  if (rules.string) return checkRules(stringRules(rules.string));
  if (rules.bool) return checkRules(makeRules('bool', boolTable, rules.bool));
  if (rules.bytes) return checkRules(makeRules('bytes', bytesTable, rules.bytes));
  if (rules.enum) return checkRules(enumRules(rules.enum, context.types.enums.get(typeNameOf(field))));
  const numberKind = numberKinds.find((name) => rules[name]);
  return numberKind && checkRules(numberRules(numberKind, rules[numberKind] ?? {}));
}

/** Whether the rules of a message field require it to be set. */
export function isRequired({ message, any, duration, timestamp }: FieldRulesJson): boolean {
  return [message, any, duration, timestamp].some((json) => json?.required);
}

function compileMessageValue(field: FieldJson, rules: FieldRulesJson, context: CompileContext): Check | undefined {
  const typeName = typeNameOf(field);
  const wellKnown = wellKnownKinds.get(typeName);
  refuseOtherKinds(`a field of ${typeName}`, rules, wellKnown ? ['message', wellKnown] : ['message']);
  refuseOthers('message', rules.message ?? {}, ['required', 'skip']);
  if (wellKnown) refuseOthers(wellKnown, rules[wellKnown] ?? {}, ['required']);
  return rules.message?.skip ? undefined : context.findMessageCheck(typeName);
}

const wellKnownKinds = new Map<string, 'any' | 'duration' | 'timestamp'>([
  ['google.protobuf.Any', 'any'],
  ['google.protobuf.Duration', 'duration'],
  ['google.protobuf.Timestamp', 'timestamp'],
]);

const boolTable: RuleTable<BoolRulesJson, boolean> = {
  const: (expected) => ({ holds: (value) => value === expected, description: `must be ${expected}` }),
};

const bytesTable: RuleTable<BytesRulesJson, Uint8Array> = {
  maxLen: (operand) => lengthRule(operand, 'at most', (length, max) => length <= max),
  minLen: (operand) => lengthRule(operand, 'at least', (length, min) => length >= min),
  len: (operand) => lengthRule(operand, 'exactly', (length, expected) => length === expected),
};

function lengthRule(
  operand: string,
  words: string,
  fits: (length: number, operand: number) => boolean,
): Rule<Uint8Array> {
  const size = toSize(operand);
  return { holds: (value) => fits(value.length, size), description: `must have ${words} ${count(size, 'byte')}` };
}

/** Throws if there are rules of another kind than the allowed ones. */
export function refuseOtherKinds(place: string, rules: FieldRulesJson, fitting: readonly string[]): void {
  for (const kind of Object.keys(rules)) {
    if (!fitting.includes(kind)) throw new Error(`rules of ${kind} do not fit ${place}`);
  }
}
