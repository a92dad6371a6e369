import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { isTextual } from '../transcoder/field-path.ts';
import type { HttpBinding } from '../transcoder/http-rule.ts';
import type { PathTemplate, PathVariable } from '../transcoder/path-template.ts';
import type { Parameter, Schema } from './document.ts';
import type { Schemas } from './schemas.ts';

/** Returns the path in OpenAPI's syntax: variables by their JSON names, without patterns. Throws on a wildcard without a name. */
export function toPath(input: DescMessage, { source, segments, variables, verb }: PathTemplate): string {
  const parts: string[] = [];
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]!;
    const variable = variables.find(({ start }) => start === i);
    if (variable) {
      parts.push(`{${jsonPath(input, variable)}}`);
      i = Math.max(i, variable.end - 1);
    } else if (segment.kind === 'literal') {
      parts.push(encodeURIComponent(segment.text));
    } else {
      throw new Error(`path template ${JSON.stringify(source)}: OpenAPI has no wildcards without a name`);
    }
  }
  return `/${parts.join('/')}${verb && `:${encodeURIComponent(verb)}`}`;
}

export function pathParameters(input: DescMessage, { template }: HttpBinding, schemas: Schemas): Parameter[] {
  return template.variables.map((variable) => {
    const { description, ...own } = schemas.field(fieldsOf(input, variable).at(-1)!, 'parameter');
    const schema = setPatternApart(own);
    const pattern = variable.multiSegment ? patternOf(template, variable) : undefined;
    return {
      name: jsonPath(input, variable),
      in: 'path',
      ...(description && { description }),
      required: true,
      schema: pattern === undefined ? schema : { ...schema, pattern },
    };
  });
}

/** Returns the query parameters: every field that is neither in the path nor in the body and has a text form, also fields of messages. */
export function queryParameters(input: DescMessage, { body, template }: HttpBinding, schemas: Schemas): Parameter[] {
  if (body === '*') return [];
  const inPath = new Set(template.variables.map(({ fieldPath }) => fieldPath));
  const visit = (desc: DescMessage, parents: readonly DescField[]): Parameter[] =>
    desc.fields.flatMap((field) => {
      const path = [...parents, field];
      if (inPath.has(path.map(({ name }) => name).join('.'))) return [];
      if (parents.length === 0 && field.name === body) return [];
      if (field.fieldKind === 'map') return [];
      if (isTextual(field)) return [toParameter(path, schemas)];
      // The recursion must end at a type that contains itself.
      const isKnown = parents.some(({ parent }) => parent === field.message) || desc === field.message;
      return field.fieldKind === 'message' && !isKnown ? visit(field.message, path) : [];
    });
  return visit(input, []);
}

function toParameter(path: readonly DescField[], schemas: Schemas): Parameter {
  const field = path.at(-1)!;
  const { description, ...schema } = schemas.field(field, 'parameter');
  const isRequired = path.length === 1 && schemas.isRequired(field, 'parameter');
  return {
    name: path.map(({ jsonName }) => jsonName).join('.'),
    in: 'query',
    ...(description && { description }),
    ...(isRequired && { required: true }),
    ...(field.fieldKind === 'list' && { style: 'form', explode: true }),
    schema: setPatternApart(schema),
  };
}

/** Syntax with another meaning in a RegExp without the flag `u`. */
const unicodePattern = /\\[pP]\{|\\u\{|[\u{10000}-\u{10ffff}]/u;

/** Swagger UI compiles a parameter's own pattern without the flag `u` and would refuse good values; those in `anyOf` it leaves alone. */
function setPatternApart({ pattern, items, ...schema }: Schema): Schema {
  const isApart = pattern !== undefined && unicodePattern.test(pattern);
  return {
    ...schema,
    ...(isApart && { anyOf: [{ pattern }] }),
    ...(pattern !== undefined && !isApart && { pattern }),
    ...(items && { items: setPatternApart(items) }),
  };
}

function fieldsOf(input: DescMessage, { fieldPath }: PathVariable): DescField[] {
  let desc: DescMessage | undefined = input;
  return fieldPath.split('.').map((name) => {
    const field: DescField | undefined = desc?.fields.find((one) => one.name === name);
    if (!field) throw new Error(`${fieldPath} in the path is no field of ${input.typeName}`);
    desc = field.message;
    return field;
  });
}

function jsonPath(input: DescMessage, variable: PathVariable): string {
  return fieldsOf(input, variable)
    .map(({ jsonName }) => jsonName)
    .join('.');
}

function patternOf({ segments }: PathTemplate, { start, end }: PathVariable): string {
  const parts = segments.slice(start, end).map((segment) => {
    if (segment.kind === 'literal') return segment.text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
    return segment.kind === 'any' ? '[^/]+' : '.*';
  });
  return `^${parts.join('/')}$`;
}
