import type { DescMethod } from '@bufbuild/protobuf';
import type { HttpBinding } from '../transcoder/http-rule.ts';
import type { Operation, RequestBody, Schema } from './document.ts';
import type { MethodComment } from './method-comment.ts';
import { pathParameters, queryParameters } from './parameters.ts';
import type { Schemas } from './schemas.ts';

/** Returns the operation of a route, without its error responses. */
export function toOperation(
  method: DescMethod,
  binding: HttpBinding,
  operationId: string,
  { summary, description }: MethodComment,
  schemas: Schemas,
): Operation {
  const parameters = [
    ...pathParameters(method.input, binding, schemas),
    ...queryParameters(method.input, binding, schemas),
  ];
  const requestBody = toRequestBody(method, binding, operationId, schemas);
  return {
    operationId,
    tags: [method.parent.name],
    ...(summary && { summary }),
    ...(description && { description }),
    ...(method.deprecated && { deprecated: true }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: {
      200: { description: 'OK', content: { 'application/json': { schema: responseSchema(method, binding, schemas) } } },
    },
  };
}

function toRequestBody(
  { input }: DescMethod,
  { body, template }: HttpBinding,
  operationId: string,
  schemas: Schemas,
): RequestBody | undefined {
  if (body === '') return undefined;
  if (body !== '*') {
    const field = input.fields.find(({ name }) => name === body);
    if (!field) throw new Error(`body ${body} is no field of ${input.typeName}`);
    const required = schemas.isRequired(field, 'request');
    return toBody(schemas.field(field, 'request'), required);
  }
  const own = schemas.object(
    input,
    'request',
    template.variables.map(({ fieldPath }) => fieldPath),
  );
  const schema =
    template.variables.length === 0
      ? schemas.message(input, 'request')
      : schemas.component(`${operationId}Body`, () => own);
  return toBody(schema, own.required !== undefined);
}

function toBody(schema: Schema, required: boolean): RequestBody {
  return { ...(required && { required }), content: { 'application/json': { schema } } };
}

function responseSchema({ output }: DescMethod, { responseBody }: HttpBinding, schemas: Schemas): Schema {
  if (responseBody === '') return schemas.message(output, 'response');
  const field = output.fields.find(({ name }) => name === responseBody);
  if (!field) throw new Error(`response_body ${responseBody} is no field of ${output.typeName}`);
  const schema = schemas.field(field, 'response');
  // The gateway returns null for a field that is not set.
  return schemas.isRequired(field, 'response') ? schema : { anyOf: [schema, { type: 'null' }] };
}
