import { compileRules, type Validate } from '../compile-rules.ts';
import type { FieldJson, MessageJson, OptionsJson } from '../descriptor-set.ts';

/** Compiles a set of one file, package `test.v1`, with these messages. */
export function compileMessages(messages: MessageJson[], enumType = [colour]): (typeName: string) => Validate {
  const validatorOf = compileRules({
    file: [{ name: 'test.proto', package: 'test.v1', syntax: 'proto3', messageType: messages, enumType }],
  });
  return (name) => validatorOf(`test.v1.${name}`);
}

/** The validation of a message `One` with the single field `value`; violations as "path: description". */
export function compileOne(field: Partial<FieldJson>, rules: object, nestedType?: MessageJson[]) {
  const value = { name: 'value', type: 'TYPE_STRING', ...field, options: withRules(rules) };
  const validate = compileMessages([{ name: 'One', field: [value], nestedType }])('One');
  return (value: unknown) => validate({ value }).map(({ field, description }) => `${field}: ${description}`);
}

/** The options of a field with these rules. */
export function withRules(rules: object): OptionsJson {
  return { '[validate.rules]': rules };
}

const colour = {
  name: 'Colour',
  value: [{ name: 'COLOUR_UNSPECIFIED' }, { name: 'RED', number: 1 }, { name: 'BLUE', number: 5 }],
};
