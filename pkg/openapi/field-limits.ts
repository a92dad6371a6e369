import type { FieldRulesJson, MapRulesJson, RepeatedRulesJson } from '../proto-rules/field-rules.ts';
import { type NumberRulesJson, numberKinds } from '../proto-rules/number-rules.ts';
import type { StringRulesJson } from '../proto-rules/string-rules.ts';
import type { Schema } from './document.ts';

/** Returns the rules of a scalar value, as far as JSON Schema can express them. */
export function valueLimits(rules: FieldRulesJson): Schema {
  if (rules.string) return stringLimits(rules.string);
  if (rules.bytes) return base64Limits(rules.bytes);
  if (rules.bool) return rules.bool.const === undefined ? {} : { const: rules.bool.const };
  for (const kind of numberKinds) {
    const json = rules[kind];
    if (json) return numberLimits(json);
  }
  return {};
}

export function listLimits({ minItems, maxItems, unique }: RepeatedRulesJson): Schema {
  return defined({ minItems: toSize(minItems), maxItems: toSize(maxItems), uniqueItems: unique || undefined });
}

export function mapLimits({ minPairs, maxPairs }: MapRulesJson): Schema {
  return defined({ minProperties: toSize(minPairs), maxProperties: toSize(maxPairs) });
}

/** Limits in bytes become limits in characters: a character has one to four bytes. */
function stringLimits(json: StringRulesJson): Schema {
  const { len, minLen, maxLen, lenBytes, minBytes, maxBytes } = json;
  const fewestBytes = toSize(lenBytes ?? minBytes);
  const patterns = [
    json.pattern,
    json.prefix && `^${escapePattern(json.prefix)}`,
    json.suffix && `${escapePattern(json.suffix)}$`,
    json.contains && escapePattern(json.contains),
  ].filter((pattern) => pattern !== undefined);
  const refused: Schema[] = [];
  if (json.notIn) refused.push({ enum: json.notIn });
  if (json.notContains) refused.push({ pattern: escapePattern(json.notContains) });
  return defined({
    format: json.uuid ? 'uuid' : json.uri ? 'uri' : undefined,
    const: json.const,
    enum: json.in,
    minLength: toSize(len ?? minLen) ?? (fewestBytes && Math.ceil(fewestBytes / 4)),
    maxLength: toSize(len ?? maxLen ?? lenBytes ?? maxBytes),
    pattern: patterns.length === 1 ? patterns[0] : undefined,
    allOf: patterns.length > 1 ? patterns.map((pattern) => ({ pattern })) : undefined,
    not: refused.length > 1 ? { anyOf: refused } : refused[0],
  });
}

/** Returns the limits of a base64 string's length, with and without padding. */
function base64Limits({ len, minLen, maxLen }: NonNullable<FieldRulesJson['bytes']>): Schema {
  const min = toSize(len ?? minLen);
  const max = toSize(len ?? maxLen);
  return defined({
    minLength: min === undefined ? undefined : Math.ceil((min * 4) / 3),
    maxLength: max === undefined ? undefined : Math.ceil(max / 3) * 4,
  });
}

function numberLimits(json: NumberRulesJson): Schema {
  const lower = toNumber(json.gte ?? json.gt);
  const upper = toNumber(json.lte ?? json.lt);
  const limits = { minimum: toNumber(json.gte), exclusiveMinimum: toNumber(json.gt) };
  const above = defined(limits);
  const below = defined({ maximum: toNumber(json.lte), exclusiveMaximum: toNumber(json.lt) });
  // As validate.proto defines: if the lower limit is above the upper one, values outside of the two are valid.
  const isOutside = lower !== undefined && upper !== undefined && lower > upper;
  return defined({
    ...(isOutside ? { anyOf: [above, below] } : { ...above, ...below }),
    const: toNumber(json.const),
    enum: json.in?.map(Number),
    not: json.notIn && { enum: json.notIn.map(Number) },
  });
}

function toSize(operand: string | undefined): number | undefined {
  return operand === undefined ? undefined : Number(operand);
}

function toNumber(operand: string | number | undefined): number | undefined {
  return operand === undefined ? undefined : Number(operand);
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function defined(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
