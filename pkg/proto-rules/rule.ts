import { type Check, type FieldViolation, noViolations, type Violations } from './field-violation.ts';

/** One condition on a value. */
export interface Rule<T> {
  readonly holds: (value: T) => boolean;
  /** The condition as a phrase that follows the field's name. */
  readonly description: string;
  /** Whether a violation of this rule ends the check, so that later rules do not process the value. For upper limits of size. */
  readonly decisive?: true;
}

/**
 * The factory of each rule of a kind, in the order of checking. A factory returns `undefined` if the rule
 * has no effect (`uuid: false`).
 */
export type RuleTable<Json, T> = {
  readonly [Name in keyof Json]-?: (operand: NonNullable<Json[Name]>) => Rule<T> | undefined;
};

/** Creates the rules of one kind. Throws if the JSON has a rule that is not in the table. */
export function makeRules<Json extends object, T>(kind: string, table: RuleTable<Json, T>, json: Json): Rule<T>[] {
  refuseOthers(kind, json, Object.keys(table));
  const rules: Rule<T>[] = [];
  for (const name of Object.keys(table) as (keyof Json)[]) {
    const operand = json[name];
    const rule = operand === undefined || operand === null ? undefined : table[name](operand);
    if (rule) rules.push(rule);
  }
  return rules;
}

/** Throws if the JSON has a rule that is not among the known ones. */
export function refuseOthers(kind: string, json: object, known: readonly string[]): void {
  for (const name of Object.keys(json)) {
    if (!known.includes(name)) throw new Error(`the rule ${kind}.${protoName(name)} is not understood`);
  }
}

/** Returns a check of all the rules; `undefined` if there are none. */
export function checkRules<T>(rules: readonly Rule<T>[]): Check | undefined {
  if (rules.length === 0) return undefined;
  return (value) => {
    for (const rule of rules) if (!rule.holds(value as T)) return brokenRules(rules, value as T);
    return noViolations;
  };
}

function brokenRules<T>(rules: readonly Rule<T>[], value: T): Violations {
  const found: FieldViolation[] = [];
  for (const rule of rules) {
    if (rule.holds(value)) continue;
    found.push({ field: '', description: rule.description });
    if (rule.decisive) break;
  }
  return found;
}

/** Returns the .proto name of a JSON name. */
export function protoName(jsonName: string): string {
  return jsonName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** "1 item", "2 items". */
export function count(size: number, one: string, many = `${one}s`): string {
  return `${size} ${size === 1 ? one : many}`;
}

/** Returns a size from a rule's JSON, in which 64-bit numbers are strings. */
export function toSize(operand: number | string): number {
  const size = Number(operand);
  if (!Number.isSafeInteger(size)) throw new Error(`the limit ${operand} is too large`);
  return size;
}
