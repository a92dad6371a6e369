import type { DescField } from '@bufbuild/protobuf';
import { isObject } from './check.ts';
import type { FieldPath } from './field-path.ts';

export type JsonObject = Record<string, unknown>;

/** Returns the object that holds the last field of a path, and creates it if necessary. Undefined if a value on the path is not an object. */
export function holderOf(json: JsonObject, { parents }: FieldPath): JsonObject | undefined {
  let holder = json;
  for (const { name, jsonName } of parents) {
    const key = Object.hasOwn(holder, name) ? name : jsonName;
    const present = Object.hasOwn(holder, key) ? holder[key] : undefined;
    const next = present ?? {};
    if (!isObject(next)) return undefined;
    holder[key] = next;
    holder = next;
  }
  return holder;
}

/** Sets a field, and removes the value under its other name. */
export function setField(holder: JsonObject, { name, jsonName }: DescField, value: unknown): void {
  if (name !== jsonName && Object.hasOwn(holder, name)) delete holder[name];
  holder[jsonName] = value;
}
