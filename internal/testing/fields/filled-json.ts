import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

export type JsonObject = { [name: string]: unknown };

const descriptors = readFileSync(new URL('../../../pkg/api/descriptors.binpb', import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));

export function descriptorOf(typeName: string): DescMessage {
  const desc = registry.getMessage(typeName);
  if (!desc) throw new TypeError(`the contract has no message ${typeName}`);
  return desc;
}

/**
 * Returns messages of a type as JSON with every field of the descriptor set, at any depth: one for each case of a oneof. The values of the first variant
 * differ from each other and from those of the second.
 */
export function filledJson(typeName: string, variant: 'first' | 'second' = 'first'): JsonObject[] {
  return new Filler(variant).messages(descriptorOf(typeName));
}

class Filler {
  readonly #isFirst: boolean;
  /** The number from which the next field's value is made. */
  #next: number;
  readonly #within: DescMessage[] = [];

  constructor(variant: 'first' | 'second') {
    this.#isFirst = variant === 'first';
    this.#next = this.#isFirst ? 1 : 10_001;
  }

  messages(desc: DescMessage): JsonObject[] {
    this.#within.push(desc);
    const choices = desc.members
      .map((member) => (member.kind === 'oneof' ? member.fields : [member]).flatMap((field) => this.#field(field)))
      .filter(({ length }) => length > 0);
    this.#within.pop();
    const count = Math.max(1, ...choices.map(({ length }) => length));
    return Array.from({ length: count }, (_, i) =>
      Object.assign({}, ...choices.map((choice) => choice[i % choice.length])),
    );
  }

  /** Empty for a field that would recurse without end. */
  #field(field: DescField): JsonObject[] {
    if (field.message && this.#within.includes(field.message)) return [];
    const values = this.#values(field);
    switch (field.fieldKind) {
      case 'list':
        return [{ [field.jsonName]: [...values, ...(field.message ? [] : this.#values(field))] }];
      case 'map':
        return [{ [field.jsonName]: Object.fromEntries(values.map((value) => [this.#text('key'), value])) }];
      default:
        return values.map((value) => ({ [field.jsonName]: value }));
    }
  }

  #values({ message, enum: enumeration, scalar, jsonName }: DescField): unknown[] {
    if (enumeration) return [this.#enum(enumeration)];
    switch (message?.typeName) {
      case undefined:
        return [this.#scalar(scalar!, jsonName)];
      case 'google.protobuf.Timestamp':
        return [new Date(1.7e12 + this.#number() * 1_000).toISOString()];
      case 'google.protobuf.Struct':
        return [{ key: this.#text('value') }];
      default:
        return this.messages(message!);
    }
  }

  #scalar(type: ScalarType, name: string): unknown {
    switch (type) {
      case ScalarType.STRING:
        return this.#text(name);
      case ScalarType.BYTES:
        return Buffer.from(this.#text(name)).toString('base64');
      case ScalarType.BOOL:
        return this.#isFirst;
      default:
        return this.#number();
    }
  }

  /** Never the unspecified value, unless the enum has only one other. */
  #enum({ values }: DescEnum): string {
    return (this.#isFirst ? values.at(-1) : values.at(-2))!.name;
  }

  #text(name: string): string {
    return `${name} ${this.#number()}`;
  }

  #number(): number {
    return this.#next++;
  }
}

/** Returns the paths of the fields that are absent from JSON, at any depth. One field of a oneof is enough. */
export function unsetFields(desc: DescMessage, json: JsonObject, path = ''): string[] {
  return desc.members.flatMap((member) => {
    const fields = member.kind === 'oneof' ? member.fields : [member];
    const set = fields.find(({ jsonName }) => json[jsonName] !== undefined);
    if (!set) return [path + member.name];
    if (!set.message || set.fieldKind === 'map' || isLeaf(set.message)) return [];
    return [json[set.jsonName]]
      .flat()
      .flatMap((value) => unsetFields(set.message!, value as JsonObject, `${path}${set.name}.`));
  });
}

/** Whether the message's JSON form is not an object of its fields. */
function isLeaf({ typeName }: DescMessage): boolean {
  return ['google.protobuf.Timestamp', 'google.protobuf.Struct'].includes(typeName);
}
