import { ScalarType } from '@bufbuild/protobuf';
import type { Schema } from './document.ts';

/** The place of a value: JSON of a request or a response, a detail of an error, or text in a path or query. */
export type Place = 'request' | 'response' | 'detail' | 'parameter';

/** Returns the schema of a scalar in canonical proto3 JSON. Requests may also have 64-bit numbers without quotes. */
export function scalarSchema(type: ScalarType, place: Place): Schema {
  switch (type) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' };
    case ScalarType.DOUBLE:
      return floating('double');
    case ScalarType.FLOAT:
      return floating('float');
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: 'integer', format: 'int32' };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: 'integer', format: 'uint32', minimum: 0, maximum: 2 ** 32 - 1 };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return long('int64', place);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return long('uint64', place);
    default:
      return type satisfies never;
  }
}

const longTypes: Record<Place, string | string[]> = {
  request: ['string', 'integer'],
  response: 'string',
  detail: 'string',
  parameter: 'integer',
};

/** Has an example because tools would otherwise derive one from the format: a number. */
function long(format: string, place: Place): Schema {
  return { type: longTypes[place], format, ...(place !== 'parameter' && { examples: ['42'] }) };
}

function floating(format: string): Schema {
  return { anyOf: [{ type: 'number', format }, { enum: ['NaN', 'Infinity', '-Infinity'] }] };
}
