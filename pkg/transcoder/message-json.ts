import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { BadInput } from './bad-input.ts';
import type { Check } from './check.ts';
import { Faults } from './faults.ts';
import { type JsonBody, parseBody } from './json-body.ts';
import { MessageChecks } from './message-checks.ts';
import { UnsetMessages } from './unset-messages.ts';

/** Parses JSON text for `MessageJson.read`. Throws BadInput if it is not JSON. */
export function parseJson(text: string): JsonBody {
  const faults = new Faults();
  const parsed = parseBody(text, faults);
  if (!parsed) throw new BadInput(faults.violations);
  return parsed;
}

/** Translates one message type between protobuf and canonical proto3 JSON, in the form in which the transcoder writes responses. */
export class MessageJson {
  readonly #desc: DescMessage;
  readonly #registry: FileRegistry;
  readonly #check: Check;
  readonly #unset = new UnsetMessages();

  /** `descriptors` is an encoded google.protobuf.FileDescriptorSet. Throws an Error if there is no such type. */
  constructor(descriptors: Uint8Array, typeName: string) {
    this.#registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
    const desc = this.#registry.getMessage(typeName);
    if (!desc) throw new Error(`there is no message ${typeName}`);
    this.#desc = desc;
    this.#check = new MessageChecks(this.#registry).of(desc);
  }

  /** Returns the JSON of an encoded message, with unset fields. Throws an Error if the bytes are not a message of the type. */
  write(bytes: Uint8Array): JsonValue {
    const json = toJson(this.#desc, fromBinary(this.#desc, bytes), {
      registry: this.#registry,
      alwaysEmitImplicit: true,
    });
    this.#unset.writeNulls(this.#desc, json);
    return json;
  }

  /** Encodes a part of what `parseJson` returned. Throws BadInput with every invalid field. */
  read(value: unknown, numbers: JsonBody['numbers']): Uint8Array {
    const faults = new Faults();
    this.#check(value, { faults, numbers }, {}, '');
    if (faults.violations.length > 0) throw new BadInput(faults.violations);
    try {
      return toBinary(this.#desc, fromJson(this.#desc, value as JsonValue, { registry: this.#registry }));
    } catch (error) {
      throw new BadInput([
        { field: 'body', description: `cannot be read: ${(error as Error).message.toWellFormed()}` },
      ]);
    }
  }
}
