import { type DescMessage, fromJson, type JsonValue, type Registry, toBinary } from '@bufbuild/protobuf';
import { BadInput } from './bad-input.ts';
import { type Check, isObject, wrongKind } from './check.ts';
import { Faults } from './faults.ts';
import { type FieldPath, findField, isTextual } from './field-path.ts';
import type { HttpBinding } from './http-rule.ts';
import { parseBody } from './json-body.ts';
import { holderOf, type JsonObject, setField } from './json-object.ts';
import { maxJsonDepth } from './json-scan.ts';
import type { MessageChecks } from './message-checks.ts';
import { QueryFields } from './query-fields.ts';
import { toJsonValue } from './text-value.ts';

/**
 * Creates the request messages of a route from path, query and body.
 *
 * It combines the three into the message's JSON. The checks examine each field, so that every fault is reported; then the protobuf
 * library decodes the JSON and may still refuse it.
 */
export class RequestDecoder {
  readonly #input: DescMessage;
  readonly #registry: Registry;
  readonly #check: Check;
  readonly #inPath: readonly FieldPath[];
  readonly #inQuery: QueryFields;
  readonly #body: FieldPath | '*' | undefined;

  /** Throws an Error if the binding does not fit the message. */
  constructor(input: DescMessage, binding: HttpBinding, checks: MessageChecks, registry: Registry) {
    this.#input = input;
    this.#registry = registry;
    this.#check = checks.of(input);
    this.#inPath = binding.template.variables.map(({ fieldPath }) => bindToPath(input, fieldPath));
    this.#body = bindToBody(input, binding);
    this.#inQuery = new QueryFields(input, binding);
  }

  /** Returns the encoded message. Throws BadInput with every fault. */
  decode(variables: ReadonlyMap<string, string>, query: string, body: string | undefined): Uint8Array {
    const faults = new Faults();
    if (body && this.#body === undefined) faults.addAt('body', 'must be empty');
    const parsed = body && this.#body !== undefined ? parseBody(body, faults) : undefined;
    const json = this.#place(parsed?.value, faults);
    if (query !== '') this.#inQuery.read(query, json, faults);
    for (const path of this.#inPath) {
      const holder = holderOf(json, path);
      if (holder) setField(holder, path.leaf, toJsonValue(path.leaf, variables.get(path.name) ?? ''));
    }
    this.#check(json, { faults, numbers: parsed?.numbers }, json, '');
    if (faults.violations.length > 0) throw new BadInput(faults.violations);
    return this.#encode(json as JsonValue);
  }

  /** Returns the part of the message's JSON that comes from the body; undefined means no body. */
  #place(value: unknown, faults: Faults): JsonObject {
    if (value === undefined || this.#body === undefined) return {};
    if (this.#body !== '*') return { [this.#body.leaf.jsonName]: value };
    if (isObject(value)) return value;
    wrongKind({ faults }, 'an object', value);
    return {};
  }

  #encode(json: JsonValue): Uint8Array {
    try {
      const message = fromJson(this.#input, json, { registry: this.#registry, recursionLimit });
      return toBinary(this.#input, message);
    } catch (error) {
      throw new BadInput([
        { field: 'body', description: `cannot be read: ${(error as Error).message.toWellFormed()}` },
      ]);
    }
  }
}

/** One level of JSON can be two messages: an object can be a Struct in a Value. */
const recursionLimit = 2 * maxJsonDepth + 10;

function bindToPath(input: DescMessage, name: string): FieldPath {
  const path = findField(input, name);
  if (path?.name !== name) throw new Error(`${name} in the path is no field of ${input.typeName}`);
  const { leaf } = path;
  if (leaf.fieldKind === 'list' || leaf.fieldKind === 'map') throw new Error(`${name} in the path is repeated`);
  if (!isTextual(leaf)) throw new Error(`${name} in the path is a message`);
  return path;
}

function bindToBody(input: DescMessage, { body, template }: HttpBinding): FieldPath | '*' | undefined {
  if (body === '' || body === '*') return body || undefined;
  const path = findField(input, body);
  if (path?.name !== body || path.parents.length > 0) throw new Error(`body ${body} is no field of ${input.typeName}`);
  if (template.variables.some(({ fieldPath }) => fieldPath === body)) throw new Error(`${body} is in path and body`);
  return path;
}
