import {
  type DescField,
  type DescMessage,
  type FileRegistry,
  getOption,
  hasOption,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { compileRules, type Validate } from '../proto-rules/compile-rules.ts';
import { type DescriptorSetJson, propertyName } from '../proto-rules/descriptor-set.ts';
import type { FieldRulesJson } from '../proto-rules/field-rules.ts';

/** The validation rules (`validate/validate.proto`) of messages. */
export class MessageRules {
  readonly #registry: FileRegistry;
  readonly #validatorOf: (typeName: string) => Validate;

  /** Throws on an unknown rule. `registry` must be that of the descriptor set. */
  constructor(descriptorSet: FileDescriptorSet, registry: FileRegistry) {
    this.#registry = registry;
    const json = toJson(FileDescriptorSetSchema, descriptorSet, { registry });
    this.#validatorOf = compileRules(json as DescriptorSetJson);
  }

  of(field: DescField): FieldRulesJson {
    const extension = this.#registry.getExtension('validate.rules');
    if (!extension?.message || !hasOption(field, extension)) return {};
    const rules = getOption(field, extension) as never;
    return toJson(extension.message, rules, { registry: this.#registry }) as FieldRulesJson;
  }

  /** Whether a message that lacks the field is invalid. */
  requires(field: DescField): boolean {
    const nothing = Object.fromEntries(field.parent.fields.map((one) => [propertyName(one.name), valueWhenUnset(one)]));
    return this.#violationsOf(field.parent, nothing).some((violation) => violation.field === field.name);
  }

  #violationsOf({ typeName }: DescMessage, message: object) {
    return this.#validatorOf(typeName)(message);
  }
}

/** Returns the message in the form for which the rules are compiled. */
function valueWhenUnset(field: DescField): unknown {
  if (field.fieldKind === 'list') return [];
  if (field.fieldKind === 'map') return {};
  if (field.fieldKind === 'message' || field.oneof || field.proto.proto3Optional) return undefined;
  if (field.fieldKind === 'enum') return 0;
  switch (field.scalar) {
    case ScalarType.STRING:
      return '';
    case ScalarType.BYTES:
      return new Uint8Array();
    case ScalarType.BOOL:
      return false;
    default:
      return 0;
  }
}
