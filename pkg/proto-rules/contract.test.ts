import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as auth from '../api/auth/v1/auth.ts';
import * as chat from '../api/chat/v1/chat.ts';
import { compileRules } from './compile-rules.ts';
import {
  type DescriptorSetJson,
  type FieldJson,
  indexTypes,
  isMessage,
  isRepeated,
  mapEntryOf,
  propertyName,
  typeNameOf,
} from './descriptor-set.ts';
import { hasValidation } from './field-rules.ts';
import { casesOf } from './testing/rule-cases.ts';
import { asProperty, isRequiredOneof, validMessage } from './testing/valid-values.ts';

const descriptorSet: DescriptorSetJson = JSON.parse(
  readFileSync(new URL('../api/descriptors.json', import.meta.url), 'utf8'),
);
const types = indexTypes(descriptorSet);
const validatorOf = compileRules(descriptorSet);

interface Codec {
  fromPartial(message: object): object;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}
const generated: Record<string, object> = { 'auth.v1': auth, 'chat.v1': chat };

const contract = [...types.messages.values()].filter(
  ({ file, json }) => file.package && file.package in generated && !json.options?.mapEntry,
);

/** What is wrong with a message after it went over the wire: so that it has the shape of the generated code. */
function validate(typeName: string, message: object) {
  const packageName = types.messages.get(typeName)?.file.package ?? '';
  const localName = typeName.slice(packageName.length + 1).replaceAll('.', '_');
  const codec = (generated[packageName] as Record<string, Codec>)[localName]!;
  const received = codec.decode(codec.encode(codec.fromPartial(message)).finish());
  return validatorOf(typeName)(received);
}

interface BrokenMessage {
  message: object;
  /** Where it is broken. */
  path: string;
}

/** A message of a type that breaks one rule, its own or of a message in it; `undefined` if there is no rule. */
function breakMessage(typeName: string, within: string[] = []): BrokenMessage | undefined {
  if (within.includes(typeName)) return undefined;
  for (const field of types.messages.get(typeName)?.json.field ?? []) {
    const own = casesOf(types, field).find(({ broken }) => broken);
    if (own?.broken) return withField(typeName, field, own.value, own.broken.at);
    const ofPart = breakPart(typeName, field, within);
    if (ofPart) return ofPart;
  }
  return undefined;
}

/** The same with the broken rule in a message that a field holds. */
function breakPart(typeName: string, field: FieldJson, within: string[] = []): BrokenMessage | undefined {
  const part = isMessage(field) && !mapEntryOf(types, field) && breakMessage(typeNameOf(field), [...within, typeName]);
  if (!part) return undefined;
  return isRepeated(field)
    ? withField(typeName, field, [part.message], `[0].${part.path}`)
    : withField(typeName, field, part.message, `.${part.path}`);
}

function withField(typeName: string, field: FieldJson, value: unknown, at: string): BrokenMessage {
  const message = { ...validMessage(types, typeName), ...asProperty(types, typeName, field, value) };
  return { message, path: field.name + at };
}

test('every message with rules is of a package that is tested here', () => {
  const ruled = [...types.messages.values()].filter(({ json: { options, field = [], oneofDecl = [] } }) =>
    [{ options }, ...field, ...oneofDecl].some((part) => hasValidation(part.options)),
  );
  expect(ruled.length).toBeGreaterThan(10);
  expect(contract).toEqual(expect.arrayContaining(ruled));
});

describe.each(contract.map(({ name, json }) => ({ name, json })))('$name', ({ name, json }) => {
  const base = validMessage(types, name);
  const fields = json.field ?? [];

  test('is valid with as little in it as its rules allow', () => {
    expect(validate(name, base)).toEqual([]);
  });

  const cases = fields.flatMap((field) => casesOf(types, field).map((one) => ({ field, ...one })));
  const byRule = Map.groupBy(cases, ({ field, rule }) => `${field.name}: ${rule}`);
  test.each([...byRule])('%s', (_, ofRule) => {
    expect(ofRule.some(({ broken }) => broken)).toBe(true);
    for (const { field, value, broken } of ofRule) {
      const found = validate(name, { ...base, ...asProperty(types, name, field, value) });
      expect(new Set(found.map((violation) => violation.field))).toEqual(new Set(broken && [field.name + broken.at]));
      if (broken) expect(found.map(({ description }) => description).join('\n')).toContain(broken.says);
    }
  });

  const parts = fields.flatMap((field) => breakPart(name, field) ?? []);
  test.each(parts)('reports what is wrong in $path', ({ message, path }) => {
    expect(new Set(validate(name, message).map((violation) => violation.field))).toEqual(new Set([path]));
  });

  test.each((json.oneofDecl ?? []).filter(isRequiredOneof))('oneof $name: required', (oneof) => {
    const message = { ...base, [propertyName(oneof.name)]: undefined };
    expect(validate(name, message)).toMatchObject([{ field: oneof.name }]);
  });
});
