import type { DescMessage } from '@bufbuild/protobuf';
import type { Schema } from './document.ts';

/** Returns the schema of a message with a special form in canonical proto3 JSON, other than the wrappers; undefined for any other message. */
export function wellKnownSchema({ typeName }: DescMessage): Schema | undefined {
  return schemas[typeName];
}

const schemas: Record<string, Schema> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: String.raw`^-?[0-9]+(\.[0-9]{1,9})?s$` },
  'google.protobuf.FieldMask': { type: 'string' },
  'google.protobuf.Struct': { type: 'object', additionalProperties: true },
  'google.protobuf.Value': {},
  'google.protobuf.ListValue': { type: 'array', items: {} },
  'google.protobuf.Any': {
    type: 'object',
    properties: { '@type': { type: 'string' } },
    required: ['@type'],
    additionalProperties: true,
  },
};
