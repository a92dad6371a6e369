import { type DescriptorSetJson, indexTypes, type MessageType, type TypeIndex, typeNameOf } from './descriptor-set.ts';
import { hasValidation } from './field-rules.ts';
import { acceptAll, type Check, checkAll, type Violations } from './field-violation.ts';
import { compileMessage } from './message-check.ts';

export type { FieldViolation, Violations } from './field-violation.ts';

/** Reports every violation of a message's rules: fields in their order, then oneofs. Empty if the message is valid. */
export type Validate = (message: object) => Violations;

/**
 * Compiles the validation rules (`validate/validate.proto`) of every message in a descriptor set into functions over
 * objects of ts-proto's shape: camelCase keys, oneofs as `{ $case, value }`, 64-bit numbers as numbers, maps as plain
 * objects. The result gives the function of a message by its full name, as `chat.v1.Command`.
 *
 * What is over its maximum (a string, a list, a map) is reported for that alone and not looked into.
 *
 * Throws on a rule that it does not understand and names file, message and field. The result throws on a name that is
 * not in the set.
 */
export function compileRules(descriptorSet: DescriptorSetJson): (typeName: string) => Validate {
  const types = indexTypes(descriptorSet);
  const checks = new Map<string, { ofMessage: Check; ofFields: Check[] }>();
  const ruled = findRuled(types);
  // All before any is filled in: a message may lead to a later one, or to itself.
  for (const { name } of ruled) {
    const ofFields: Check[] = [];
    checks.set(name, { ofMessage: checkAll(ofFields), ofFields });
  }
  const findMessageCheck = (typeName: string) => checks.get(typeName)?.ofMessage;
  for (const type of ruled) checks.get(type.name)?.ofFields.push(...compileMessage(type, { types, findMessageCheck }));

  return (typeName) => {
    if (!types.messages.has(typeName)) throw new Error(`no message ${typeName} in the descriptor set`);
    return findMessageCheck(typeName) ?? acceptAll;
  };
}

/** The messages that have rules or lead to one that has. */
function findRuled({ messages }: TypeIndex): Set<MessageType> {
  const ruled = new Set<MessageType>();
  const isRuled = ({ json: { options, oneofDecl = [], field = [] } }: MessageType) =>
    [{ options }, ...oneofDecl, ...field].some((part) => hasValidation(part.options)) ||
    field.some((part) => {
      const type = messages.get(typeNameOf(part));
      return type !== undefined && ruled.has(type);
    });
  let sizeBefore: number;
  do {
    sizeBefore = ruled.size;
    for (const type of messages.values()) if (isRuled(type)) ruled.add(type);
  } while (ruled.size > sizeBefore);
  return ruled;
}
