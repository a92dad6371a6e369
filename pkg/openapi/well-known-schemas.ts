import type { DescMessage } from '@bufbuild/protobuf';
import type { Schema } from './document.ts';

/** The JSON of messages that have a form of their own in canonical proto3 JSON; undefined for any other. Not the wrappers. */
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
