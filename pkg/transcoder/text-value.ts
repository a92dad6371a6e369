import { type DescField, ScalarType } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';

/**
 * Returns the JSON value of a text in a path or query, as a single value of the field, which must have a text form. Text that is not
 * a value of the field stays a string, which the checks refuse.
 */
export function toJsonValue(field: DescField, text: string): string | number | boolean {
  if (field.enum) {
    const isNumber = /^-?\d{1,10}$/.test(text) && !field.enum.values.some(({ name }) => name === text);
    return isNumber ? Number(text) : text;
  }
  const scalar = field.message && isWrapperDesc(field.message) ? field.message.fields[0]?.scalar : field.scalar;
  if (scalar !== ScalarType.BOOL) return text;
  return text === 'true' || (text === 'false' ? false : text);
}
