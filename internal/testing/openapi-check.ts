import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import type { OpenApiDocument, Operation, Parameter, Response, Schema } from '../../pkg/openapi/document.ts';

/** The HTTP request and response of one call. Header names are in lower case. */
export interface HttpExchange {
  /** The intended method, if it is known: `/chat.v1.ChatService/CreateChat`. */
  rpc?: string;
  /** `path` is percent-encoded and includes the query. */
  request: { method: string; path: string; headers: Record<string, string>; body?: string };
  response: { status: number; headers: Record<string, string>; body: string };
}

/**
 * Creates a function that checks exchanges against an OpenAPI document. It is stricter than the document: bodies and queries may contain nothing that the
 * document does not name. It throws an Error that describes the difference in the route, the request (unless it was refused with 4xx) or the response.
 */
export function openApiChecker(document: OpenApiDocument): (exchange: HttpExchange) => void {
  const schemas = new StrictSchemas(document);
  const routes = toRoutes(document);
  return ({ rpc, request, response }) => {
    const title = `${request.method} ${request.path} → ${response.status}`;
    const [path = '', query = ''] = request.path.split('?', 2);
    const route = routes.find(({ method, pattern }) => method === request.method && pattern.test(path));
    if (!route) throw new Error(`${title}: the document has no such route`);
    const { operation } = route;
    const faults: string[] = [];
    if (rpc !== undefined && !isOf(operation, rpc)) faults.push(`the route is that of ${operation.operationId}`);
    if (response.status < 400 || response.status >= 500) {
      faults.push(...parameterFaults(route, path, query, schemas), ...bodyFaults(operation, request, schemas));
      const isOpen = (operation.security ?? document.security).length === 0;
      if (response.status === 200 && !isOpen && !request.headers.authorization) {
        faults.push('the document asks for a token, the service did not');
      }
    }
    faults.push(...responseFaults(document, operation, response, schemas));
    if (faults.length > 0) throw new Error(`${title} differs from the document:\n  ${faults.join('\n  ')}`);
  };
}

interface Route {
  method: string;
  /** Has one group for each variable, in their order. */
  pattern: RegExp;
  variables: string[];
  operation: Operation;
}

/** Returns the routes, those with the most literal text first, so that a verb at the end of a path does not match as part of a variable. */
function toRoutes({ paths }: OpenApiDocument): Route[] {
  const literals = (path: string) => path.replace(/\{[^}]*\}/g, '').length;
  return Object.entries(paths)
    .sort(([a], [b]) => literals(b) - literals(a))
    .flatMap(([path, operations]) => {
      const variables = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
      const source = path.split(/\{[^}]*\}/).map((text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&'));
      const pattern = new RegExp(`^${source.join('([^/]+)')}$`);
      return Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase(),
        pattern,
        variables,
        operation,
      }));
    });
}

function isOf({ operationId }: Operation, rpc: string): boolean {
  const [, service = '', method = ''] = rpc.split('/');
  return operationId.replace(/\d+$/, '') === `${service.split('.').at(-1)}_${method}`.replace(/\d+$/, '');
}

function parameterFaults(route: Route, path: string, query: string, schemas: StrictSchemas): string[] {
  const values = route.pattern.exec(path)?.slice(1).map(decodeURIComponent) ?? [];
  const given = new URLSearchParams(query);
  const known = new Set<string>();
  const faults: string[] = [];
  for (const parameter of route.operation.parameters ?? []) {
    const texts =
      parameter.in === 'path' ? [values[route.variables.indexOf(parameter.name)] ?? ''] : given.getAll(parameter.name);
    if (parameter.in === 'query') known.add(parameter.name);
    if (texts.length > 0) faults.push(...valueFaults(parameter, texts, schemas));
    else if (parameter.required) faults.push(`the parameter ${parameter.name} is missing`);
  }
  for (const name of new Set(given.keys())) {
    if (!known.has(name)) faults.push(`the document has no query parameter ${name}`);
  }
  return faults;
}

function valueFaults({ name, schema }: Parameter, texts: string[], schemas: StrictSchemas): string[] {
  const isList = schema.type === 'array';
  if (!isList && texts.length > 1) return [`the parameter ${name} is there ${texts.length} times`];
  const values = texts.map((text) => toValue(text, isList ? (schema.items ?? {}) : schema));
  return schemas.faultsOf(schema, isList ? values : values[0], `the parameter ${name}`);
}

/** Converts the text of a parameter to a value of its schema's type. */
function toValue(text: string, { type, anyOf = [] }: Schema): unknown {
  const types = [type, ...anyOf.map((one) => one.type)].flat();
  const isNumber = types.includes('integer') || types.includes('number');
  if (isNumber && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  return types.includes('boolean') && /^(true|false)$/.test(text) ? text === 'true' : text;
}

function bodyFaults(
  { requestBody }: Operation,
  { body = '', headers }: HttpExchange['request'],
  schemas: StrictSchemas,
): string[] {
  if (body === '') return requestBody?.required ? ['the request has no body'] : [];
  if (!requestBody) return ['the document has no body for this request'];
  return jsonFaults(requestBody.content['application/json'].schema, headers, body, schemas, 'the request');
}

function responseFaults(
  { components }: OpenApiDocument,
  { responses }: Operation,
  { status, headers, body }: HttpExchange['response'],
  schemas: StrictSchemas,
): string[] {
  let response: (Response & { $ref?: string }) | undefined = responses[status] ?? responses.default;
  if (response?.$ref) response = components.responses[response.$ref.replace('#/components/responses/', '')];
  if (!response || (status < 400 && !responses[status])) return [`the document has no response ${status}`];
  const content = response.content?.['application/json'];
  if (!content) return body === '' ? [] : ['the document has no body for this response'];
  return jsonFaults(content.schema, headers, body, schemas, 'the response');
}

function jsonFaults(
  schema: Schema,
  headers: Record<string, string>,
  body: string,
  schemas: StrictSchemas,
  place: string,
): string[] {
  const type = headers['content-type'] ?? '';
  if (!/^application\/json(;|$)/.test(type)) return [`${place} has the content type ${JSON.stringify(type)}`];
  try {
    return schemas.faultsOf(schema, JSON.parse(body), place);
  } catch (error) {
    if (error instanceof SyntaxError) return [`${place} is no JSON: ${body.slice(0, 200)}`];
    throw error;
  }
}

/** The document's schemas, each compiled on first use. */
class StrictSchemas {
  // The module is CommonJS: its types have the default export one level deeper.
  readonly #ajv = (addFormatsModule as unknown as typeof addFormatsModule.default)(
    new Ajv2020({ strict: false, allErrors: true, formats: { uint32: true, uint64: true } }),
  );
  readonly #components: unknown;
  readonly #compiled = new Map<Schema, ValidateFunction>();

  constructor({ components }: OpenApiDocument) {
    this.#components = tighten(components);
  }

  faultsOf(schema: Schema, value: unknown, place: string): string[] {
    let validate = this.#compiled.get(schema);
    if (!validate) {
      validate = this.#ajv.compile({ ...(tighten(schema) as object), components: this.#components });
      this.#compiled.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${place}${instancePath}: ${message} ${JSON.stringify(params)}`;
    });
  }
}

/** Returns a copy of a schema in which objects allow no unnamed properties, and 64-bit numbers in strings must be numeric. */
function tighten(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(tighten);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, tighten(value)]));
  if (copy.type === 'object') copy.additionalProperties ??= false;
  if (['int64', 'uint64'].includes(String(copy.format)) && [copy.type].flat().includes('string')) {
    copy.pattern ??= '^(0|-?[1-9][0-9]*)$';
  }
  return copy;
}
