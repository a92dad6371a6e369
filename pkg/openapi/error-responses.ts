import type { DescMessage } from '@bufbuild/protobuf';
import type { Response, Schema } from './document.ts';
import { codeNames, type ErrorNote } from './method-comment.ts';
import type { Schemas } from './schemas.ts';

/** Returns the error responses of a method by HTTP status, in ascending order. */
export function errorResponses(
  errors: readonly ErrorNote[],
  httpStatusOf: (code: number) => number,
  schema: Schema,
): Record<string, Response> {
  const byStatus = new Map<number, string[]>();
  for (const { code, reasons, text } of errors) {
    const status = httpStatusOf(codeNames.indexOf(code));
    const names = reasons.map((reason) => `\`${reason}\``).join(', ');
    const lines = byStatus.get(status) ?? [];
    byStatus.set(status, [...lines, `${code} (${names})${text && `: ${text}`}`]);
  }
  const inOrder = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    inOrder.map(([status, lines]) => {
      const description = lines.length === 1 ? lines[0]! : lines.map((line) => `- ${line}`).join('\n');
      return [status, { description, content: { 'application/json': { schema } } }];
    }),
  );
}

/** Returns the schema of an error's body: google.rpc.Status with details of these types, or of any type if none is given. */
export function statusSchema(details: readonly DescMessage[], schemas: Schemas): Schema {
  const anyOf = details.map((desc): Schema => {
    const { properties, required = [], ...object } = schemas.object(desc, 'detail');
    const type: Schema = { const: `type.googleapis.com/${desc.typeName}` };
    return { ...object, properties: { '@type': type, ...properties }, required: ['@type', ...required] };
  });
  const any: Schema = {
    type: 'object',
    properties: { '@type': { type: 'string' } },
    required: ['@type'],
    additionalProperties: true,
  };
  return schemas.component('google.rpc.Status', () => ({
    type: 'object',
    description: 'What went wrong.',
    properties: {
      code: { type: 'integer', format: 'int32', description: "gRPC's number of the error's kind." },
      message: { type: 'string', description: 'For developers, in English.' },
      details: { type: 'array', items: anyOf.length > 0 ? { anyOf } : any },
    },
    required: ['code', 'message', 'details'],
  }));
}
