import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { hasCustomJsonRepresentation, isWrapperDesc } from '@bufbuild/protobuf/wkt';

/** A field of a message or of a nested message: `a.b.c`. */
export interface FieldPath {
  /** The path in proto names. */
  name: string;
  /** The fields before the last one, all of them singular messages. */
  parents: readonly DescField[];
  leaf: DescField;
}

/** Maximum depth of a path. A type can contain itself, so a client's path could otherwise have any depth. */
const maxDepth = 32;

/** Finds a field by its path in proto or JSON names. Does not look into lists, and not into messages whose JSON is not an object of fields. */
export function findField(desc: DescMessage, path: string): FieldPath | undefined {
  const names = path.split('.', maxDepth + 1);
  const found: DescField[] = [];
  let message: DescMessage | undefined = desc;
  if (names.length > maxDepth) return undefined;
  for (const name of names) {
    const field: DescField | undefined = message && fieldsByName(message).get(name);
    if (!field) return undefined;
    found.push(field);
    message = field.fieldKind === 'message' && !hasCustomJsonRepresentation(field.message) ? field.message : undefined;
  }
  const leaf = found.at(-1)!;
  return { name: found.map((field) => field.name).join('.'), parents: found.slice(0, -1), leaf };
}

const tables = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

function fieldsByName(desc: DescMessage): ReadonlyMap<string, DescField> {
  const made = tables.get(desc);
  if (made) return made;
  const fields = new Map<string, DescField>();
  for (const field of desc.fields) fields.set(field.jsonName, field);
  for (const field of desc.fields) fields.set(field.name, field);
  tables.set(desc, fields);
  return fields;
}

/** Whether a single value of the field can be written as text: a scalar, an enum, or a message that is a string or scalar in JSON. */
export function isTextual({ message }: DescField): boolean {
  return !message || textualTypes.has(message.typeName) || isWrapperDesc(message);
}

const textualTypes = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration', 'google.protobuf.FieldMask']);
