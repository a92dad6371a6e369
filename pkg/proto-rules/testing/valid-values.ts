import {
  type FieldJson,
  isMessage,
  isRepeated,
  mapEntryOf,
  type OneofJson,
  propertyName,
  type TypeIndex,
  typeNameOf,
} from '../descriptor-set.ts';
import type { FieldRulesJson } from '../field-rules.ts';

/** What the tests know of a pattern: characters that match it, however often repeated, and a text that does not. */
export const patternSamples: Record<string, { characters: string[]; counterExample: string } | undefined> = {
  '^[!-~]+$': { characters: ['a', '~'], counterExample: 'a b' },
  '^[!-~]*$': { characters: ['a', '~'], counterExample: 'a b' },
  '^[A-Za-z0-9][A-Za-z0-9_.-]*$': { characters: ['a', 'Z', '7'], counterExample: '_a' },
  '^[^\\x00]*$': { characters: ['a', '\n', '😀'], counterExample: 'a\u0000' },
  '^[^\\p{C}]*$': { characters: ['a', ' ', '😀'], counterExample: 'a\nb' },
  '^[^\\p{Cc}]*$': { characters: ['a', ' ', '😀'], counterExample: 'a\nb' },
  '^[^\\p{C}\\s]+$': { characters: ['a', '/', '😀'], counterExample: 'a b' },
  '^[^\\p{C}\\s]*$': { characters: ['a', '/', '😀'], counterExample: 'a b' },
  '^[a-z0-9._-]*$': { characters: ['a', '7', '.'], counterExample: 'A' },
  '^[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]*$': { characters: ['a', 'я', '𝒳'], counterExample: '_a' },
};

/** The rules of a field; none if it has none. */
export function rulesOf(field: FieldJson): FieldRulesJson {
  return (field.options?.['[validate.rules]'] ?? {}) as FieldRulesJson;
}

/** Whether a oneof must be set. */
export function isRequiredOneof(oneof: OneofJson): boolean {
  return oneof.options?.['[validate.required]'] === true;
}

/** A message with as little in it as its rules allow. */
export function validMessage(types: TypeIndex, typeName: string): Record<string, unknown> {
  const { field = [], oneofDecl = [] } = types.messages.get(typeName)?.json ?? {};
  const message: Record<string, unknown> = {};
  for (const one of field) {
    if (one.oneofIndex === undefined || one.proto3Optional) message[propertyName(one.name)] = validField(types, one);
  }
  for (const [index, oneof] of oneofDecl.entries()) {
    const first = field.find((one) => one.oneofIndex === index);
    if (isRequiredOneof(oneof) && first)
      Object.assign(message, asProperty(types, typeName, first, validValue(types, first)));
  }
  return message;
}

/** The part of a message that sets one field: under its own name or, if it belongs to a oneof, under that one's. */
export function asProperty(
  types: TypeIndex,
  typeName: string,
  field: FieldJson,
  value: unknown,
): Record<string, unknown> {
  const name = propertyName(field.name);
  const oneof = types.messages.get(typeName)?.json.oneofDecl?.[field.oneofIndex ?? -1];
  return oneof && !field.proto3Optional ? { [propertyName(oneof.name)]: { $case: name, value } } : { [name]: value };
}

/** The nth of many valid values for a single value of a field's type. */
export function validValue(types: TypeIndex, field: FieldJson, rules = rulesOf(field), n = 0): unknown {
  if (isMessage(field)) return validMessage(types, typeNameOf(field));
  if (field.type === 'TYPE_STRING') return validText(rules.string ?? {}, n);
  if (field.type === 'TYPE_ENUM') return allowedNumbers(types, field, rules)[0];
  if (field.type === 'TYPE_BOOL') return rules.bool?.const ?? false;
  if (field.type === 'TYPE_BYTES') return new Uint8Array(Number(rules.bytes?.minLen ?? 0));
  const { gte = 0, lte = 0 } = rules.int64 ?? rules.int32 ?? {};
  return Math.max(Number(gte), Math.min(0, Number(lte)));
}

/** The numbers that an enum's rules allow, of those that are defined. */
export function allowedNumbers(types: TypeIndex, field: FieldJson, rules: FieldRulesJson): number[] {
  const defined = types.enums.get(typeNameOf(field))?.value ?? [];
  return defined.map(({ number = 0 }) => number).filter((number) => !rules.enum?.notIn?.includes(number));
}

/** A list of so many different valid items. */
export function validItems(types: TypeIndex, field: FieldJson, length: number): unknown[] {
  const rules = rulesOf(field).repeated?.items ?? {};
  return Array.from({ length }, (_, n) => validValue(types, field, rules, n));
}

/** A map of so many valid entries. */
export function validEntries(types: TypeIndex, field: FieldJson, length: number): Record<string, unknown> {
  const entry = mapEntryOf(types, field)!;
  const { keys = {}, values = {} } = rulesOf(field).map ?? {};
  const keyOf = (n: number) => String(validValue(types, entry.key, keys, n));
  return Object.fromEntries(Array.from({ length }, (_, n) => [keyOf(n), validValue(types, entry.value, values, n)]));
}

function validField(types: TypeIndex, field: FieldJson): unknown {
  const { map, repeated, message, timestamp } = rulesOf(field);
  if (mapEntryOf(types, field)) return validEntries(types, field, Number(map?.minPairs ?? 0));
  if (isRepeated(field)) return validItems(types, field, Number(repeated?.minItems ?? 0));
  if (field.proto3Optional) return undefined;
  if (isMessage(field) && !message?.required && !timestamp?.required) return undefined;
  return validValue(types, field);
}

function validText(rules: NonNullable<FieldRulesJson['string']>, n: number): string {
  if (rules.uuid) return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
  return `a${n}`.padEnd(Number(rules.minLen ?? 0), 'a');
}
