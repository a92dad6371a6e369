import type { FieldJson } from './descriptor-set.ts';
import type { FieldRulesJson, MapRulesJson, RepeatedRulesJson } from './field-rules.ts';
import { acceptAll, append, type Check, checkAll, type FieldViolation, noViolations } from './field-violation.ts';
import { checkRules, count, makeRules, type RuleTable, toSize } from './rule.ts';
import { type CompileContext, compileValue, refuseOtherKinds } from './value-check.ts';

/**
 * Compiles the rules of a repeated field and of its items. A list with too many items is reported for that alone and
 * not looked into, so that the work and the report stay within the limit.
 */
export function compileRepeated(field: FieldJson, rules: FieldRulesJson, context: CompileContext): Check | undefined {
  refuseOtherKinds('a repeated field', rules, ['repeated']);
  const { items = {}, unique, ...sizes } = rules.repeated ?? {};
  const checkItem = compileValue(field, items, context);
  const checkContent: Check[] = [];
  if (unique) checkContent.push(uniqueItems(field));
  if (checkItem) checkContent.push(eachItem(checkItem));
  return withinSize(checkRules(makeRules('repeated', itemsTable, sizes)), sizes.maxItems, checkContent);
}

/**
 * Compiles the rules of a map field, of its keys and of its values. A map with too many entries is reported for that
 * alone and not looked into.
 */
export function compileMap(
  entry: { key: FieldJson; value: FieldJson },
  rules: FieldRulesJson,
  context: CompileContext,
): Check | undefined {
  refuseOtherKinds('a map field', rules, ['map']);
  const { keys = {}, values = {}, ...sizes } = rules.map ?? {};
  const checkKey = compileValue(entry.key, keys, context);
  const checkValue = compileValue(entry.value, values, context);
  const checkContent = checkKey || checkValue ? [eachEntry(entry.key, checkKey, checkValue)] : [];
  const checkEntries = withinSize(checkRules(makeRules('map', pairsTable, sizes)), sizes.maxPairs, checkContent);
  if (!checkEntries) return undefined;
  if (entry.key.type === 'TYPE_BOOL') throw new Error('a map with bool keys is no plain object');
  return (value) => checkEntries(Object.entries(value as object));
}

interface Sized {
  readonly length: number;
}

/** A check of the size and, unless it is over the maximum, of the content; `undefined` if there is nothing to check. */
function withinSize(
  checkSize: Check | undefined,
  maxSize: string | undefined,
  checkContent: readonly Check[],
): Check | undefined {
  const checks = checkSize ? [checkSize, ...checkContent] : checkContent;
  if (checks.length === 0) return undefined;
  const checkWhole = checkAll(checks);
  if (!checkSize || maxSize === undefined) return checkWhole;
  const max = toSize(maxSize);
  return (value) => ((value as Sized).length > max ? checkSize(value) : checkWhole(value));
}

const itemsTable: RuleTable<Omit<RepeatedRulesJson, 'items' | 'unique'>, Sized> = {
  maxItems: (operand) => {
    const max = toSize(operand);
    return { holds: (list) => list.length <= max, description: `must have at most ${count(max, 'item')}` };
  },
  minItems: (operand) => {
    const min = toSize(operand);
    return { holds: (list) => list.length >= min, description: `must have at least ${count(min, 'item')}` };
  },
};

const pairsTable: RuleTable<Omit<MapRulesJson, 'keys' | 'values'>, Sized> = {
  maxPairs: (operand) => {
    const max = toSize(operand);
    return {
      holds: (entries) => entries.length <= max,
      description: `must have at most ${count(max, 'entry', 'entries')}`,
    };
  },
  minPairs: (operand) => {
    const min = toSize(operand);
    return {
      holds: (entries) => entries.length >= min,
      description: `must have at least ${count(min, 'entry', 'entries')}`,
    };
  },
};

function eachItem(checkItem: Check): Check {
  return (value) => {
    const list = value as readonly unknown[];
    let found: FieldViolation[] | undefined;
    for (let i = 0; i < list.length; i++) {
      const violations = checkItem(list[i]);
      if (violations !== noViolations) found = append(found, `[${i}]`, violations);
    }
    return found ?? noViolations;
  };
}

function uniqueItems(field: FieldJson): Check {
  if (field.type === 'TYPE_MESSAGE' || field.type === 'TYPE_BYTES') {
    throw new Error(`the rule repeated.unique does not fit items of ${field.type}`);
  }
  const repeats = [{ field: '', description: 'must not repeat an earlier item' }];
  return (value) => {
    const list = value as readonly unknown[];
    if (list.length < 2 || new Set(list).size === list.length) return noViolations;
    const seen = new Set();
    let found: FieldViolation[] | undefined;
    for (const [i, item] of list.entries()) {
      if (seen.has(item)) found = append(found, `[${i}]`, repeats);
      seen.add(item);
    }
    return found ?? noViolations;
  };
}

function eachEntry(keyField: FieldJson, checkKey: Check = acceptAll, checkValue: Check = acceptAll): Check {
  const isText = keyField.type === 'TYPE_STRING';
  return (value) => {
    let found: FieldViolation[] | undefined;
    for (const [key, item] of value as readonly [string, unknown][]) {
      const ofKey = checkKey(isText ? key : Number(key));
      const ofValue = checkValue(item);
      if (ofKey === noViolations && ofValue === noViolations) continue;
      const path = `[${isText ? quoteKey(key) : key}]`;
      found = append(append(found, path, ofKey), path, ofValue);
    }
    return found ?? noViolations;
  };
}

const maxKeyInPath = 64;

// The key is the sender's text: a report must not grow with it.
function quoteKey(key: string): string {
  return JSON.stringify(key.length > maxKeyInPath ? `${key.slice(0, maxKeyInPath)}…` : key);
}
