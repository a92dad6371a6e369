import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { hasCustomJsonRepresentation } from '@bufbuild/protobuf/wkt';
import { type Faults, shorten } from './faults.ts';
import { type FieldPath, findField, isTextual } from './field-path.ts';
import type { HttpBinding } from './http-rule.ts';
import { holderOf, type JsonObject } from './json-object.ts';
import { toJsonValue } from './text-value.ts';

/** Reads the query parameters of a route: every field of the request that is neither in the path nor in the body. */
export class QueryFields {
  readonly #input: DescMessage;
  readonly #body: string;
  readonly #inPath: ReadonlySet<string>;

  constructor(input: DescMessage, { body, template }: HttpBinding) {
    this.#input = input;
    this.#body = body;
    this.#inPath = new Set(template.variables.map(({ fieldPath }) => fieldPath));
  }

  /** Puts the parameters into a request's JSON and reports those that do not belong there. Does not check their values. */
  read(query: string, json: JsonObject, faults: Faults): void {
    for (const parameter of query.split('&')) {
      if (faults.full) return;
      if (parameter === '') continue;
      const [rawKey, rawValue] = splitOnce(parameter, '=');
      const key = decode(rawKey);
      const value = decode(rawValue);
      const path = key === undefined ? undefined : findField(this.#input, key);
      const field = path?.name ?? (shorten(key ?? rawKey) || 'query');
      let fault: string | undefined;
      if (key === undefined || value === undefined) fault = 'must be percent-encoded UTF-8';
      else fault = path ? (this.#refusalOf(path) ?? put(json, path, value)) : 'is not a known field';
      if (fault !== undefined) faults.addAt(field, fault);
    }
  }

  #refusalOf({ name, parents, leaf }: FieldPath): string | undefined {
    if (this.#inPath.has(name)) return 'must be given in the path only';
    if (this.#body === '*' || this.#body === (parents[0] ?? leaf).name) return 'must be given in the body';
    return isTextual(leaf) && leaf.fieldKind !== 'map' ? undefined : howToGive(name, leaf);
  }
}

function howToGive(name: string, field: DescField): string {
  if (field.fieldKind !== 'message' || hasCustomJsonRepresentation(field.message))
    return 'cannot be given in the query';
  return `must be given field by field: ${name}.${field.message.fields[0]?.name ?? '…'}=…`;
}

function put(json: JsonObject, path: FieldPath, text: string): string | undefined {
  const { leaf } = path;
  // Values on the path come from other parameters and are objects.
  const holder = holderOf(json, path)!;
  const value = toJsonValue(leaf, text);
  const present = Object.hasOwn(holder, leaf.jsonName) ? holder[leaf.jsonName] : undefined;
  if (Array.isArray(present)) present.push(value);
  else if (present !== undefined) return 'must not be given more than once';
  else holder[leaf.jsonName] = leaf.fieldKind === 'list' ? [value] : value;
  return undefined;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Returns undefined if the text is not encoded correctly. */
function decode(raw: string): string | undefined {
  if (/[^\x21-\x7e]/.test(raw)) return undefined;
  if (!/[%+]/.test(raw)) return raw;
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
