import { compileMap, compileRepeated } from './collection-check.ts';
import {
  type FieldJson,
  isMessage,
  isRepeated,
  type MessageType,
  mapEntryOf,
  type OneofJson,
  propertyName,
} from './descriptor-set.ts';
import { type FieldRulesJson, readValidation } from './field-rules.ts';
import { acceptAll, append, type Check, noViolations, type Violations, violation } from './field-violation.ts';
import { type CompileContext, compileValue, isRequired } from './value-check.ts';

/** Compiles a message's fields and oneofs, each into a check of the message. Leaves out those without rules. */
export function compileMessage({ name, file, json }: MessageType, context: CompileContext): Check[] {
  const place = `${file.name}: ${name}`;
  located(place, () => {
    readValidation(json.options);
    if (file.syntax !== 'proto3') throw new Error('rules are understood in proto3 only');
  });

  const checks: Check[] = [];
  const members = new Map<number, Map<FieldJson, Check>>();
  for (const field of json.field ?? []) {
    const check = located(`${place}.${field.name}`, () => compileField(field, context));
    if (field.oneofIndex === undefined || field.proto3Optional) {
      if (check) checks.push(ofProperty(field.name, check));
    } else {
      const ofOneof = members.get(field.oneofIndex) ?? new Map<FieldJson, Check>();
      members.set(field.oneofIndex, ofOneof.set(field, check ?? acceptAll));
    }
  }
  for (const [index, ofOneof] of members) {
    const oneof = json.oneofDecl?.[index] ?? { name: '' };
    const check = located(`${place}.${oneof.name}`, () => compileOneof(oneof, ofOneof));
    if (check) checks.push(check);
  }
  return checks;
}

function compileField(field: FieldJson, context: CompileContext): Check | undefined {
  const rules = (readValidation(field.options, '[validate.rules]') ?? {}) as FieldRulesJson;
  const entry = mapEntryOf(context.types, field);
  if (entry) return compileMap(entry, rules, context);
  if (isRepeated(field)) return compileRepeated(field, rules, context);

  const check = compileValue(field, rules, context);
  const required = isRequired(rules);
  const canBeUnset = isMessage(field) || field.proto3Optional;
  if (!canBeUnset || (!check && !required)) return check;
  const whenUnset = required ? violation('must be set') : noViolations;
  return (value) => (value === undefined ? whenUnset : (check ?? acceptAll)(value));
}

/** Violations of a oneof's value have the name of the field that is set; only a missing value has the name of the oneof. */
function compileOneof(oneof: OneofJson, members: ReadonlyMap<FieldJson, Check>): Check | undefined {
  const required = readValidation(oneof.options, '[validate.required]') === true;
  if (!required && [...members.values()].every((check) => check === acceptAll)) return undefined;

  const key = propertyName(oneof.name);
  const cases = new Map([...members].map(([field, check]) => [propertyName(field.name), ofPart(field.name, check)]));
  const names = [...members.keys()].map((field) => field.name).join(', ');
  const whenUnset = required ? [{ field: oneof.name, description: `must be set to one of ${names}` }] : noViolations;
  return (message) => {
    const chosen = (message as Record<string, { $case: string; value: unknown } | undefined>)[key];
    const check = chosen && cases.get(chosen.$case);
    return check ? check(chosen.value) : whenUnset;
  };
}

function ofProperty(name: string, check: Check): Check {
  const key = propertyName(name);
  const checkPart = ofPart(name, check);
  return (message) => checkPart((message as Record<string, unknown>)[key]);
}

function ofPart(name: string, check: Check): Check {
  return (value): Violations => {
    const violations = check(value);
    return violations === noViolations ? noViolations : append(undefined, name, violations);
  };
}

function located<T>(place: string, compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    throw new Error(`${place}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
