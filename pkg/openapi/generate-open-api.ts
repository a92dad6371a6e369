import {
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { httpBindings } from '../transcoder/http-rule.ts';
import { Comments } from './comments.ts';
import type { Info, OpenApiDocument, Operation } from './document.ts';
import { errorResponses, statusSchema } from './error-responses.ts';
import { MessageRules } from './message-rules.ts';
import { readMethodComment } from './method-comment.ts';
import { toOperation } from './operation.ts';
import { toPath } from './parameters.ts';
import { Schemas } from './schemas.ts';

export type { OpenApiDocument } from './document.ts';

export interface OpenApiOptions {
  info: Info;
  /** Full names of the services, in their order in the document. */
  services: readonly string[];
  /** Whether the method can be called without a token. */
  isOpen: (method: DescMethod) => boolean;
  /** Returns further errors of a method, one per line, in the form of its comment: `NOT_FOUND (REASON): when`. */
  commonErrors?: (method: DescMethod) => readonly string[];
  /** Returns the HTTP status of a gRPC code. */
  httpStatusOf: (code: number) => number;
  /** Full names of the messages that errors carry as details. Default: any message. */
  errorDetails?: readonly string[];
}

/**
 * Generates an OpenAPI 3.1 document from the `google.api.http` rules of services. Names and forms are those of
 * canonical proto3 JSON; texts come from the .proto comments, limits from the validation rules. The output is deterministic.
 *
 * `descriptors` is an encoded google.protobuf.FileDescriptorSet with all imports and with source info. Throws an Error that names what
 * cannot be described: a missing service, an unknown rule, or routes that OpenAPI cannot distinguish.
 */
export function generateOpenApi(descriptors: Uint8Array, options: OpenApiOptions): OpenApiDocument {
  const descriptorSet = fromBinary(FileDescriptorSetSchema, descriptors);
  const registry = createFileRegistry(descriptorSet);
  const services = options.services.map((name) => registry.getService(name) ?? missing('service', name));
  const methods = services.flatMap((service) =>
    service.methods.filter((one) => httpBindings(one, registry).length > 0),
  );
  const comments = new Comments(jsonNames(registry));
  const schemas = new Schemas({
    comments,
    rules: new MessageRules(descriptorSet, registry),
    incoming: messagesBelow(methods.map(({ input }) => input)),
    outgoing: messagesBelow(methods.map(({ output }) => output)),
  });
  const status = statusSchema(
    (options.errorDetails ?? []).map((name) => registry.getMessage(name) ?? missing('message', name)),
    schemas,
  );
  const paths = new Paths();
  for (const method of methods) {
    const comment = readMethodComment(comments.of(method));
    const common = readMethodComment((options.commonErrors?.(method) ?? []).join('\n')).errors;
    for (const [index, binding] of httpBindings(method, registry).entries()) {
      const operationId = `${method.parent.name}_${method.name}${index > 0 ? index + 1 : ''}`;
      const operation = toOperation(method, binding, operationId, comment, schemas);
      Object.assign(operation.responses, errorResponses([...comment.errors, ...common], options.httpStatusOf, status), {
        default: { $ref: '#/components/responses/Error' },
      });
      if (options.isOpen(method)) operation.security = [];
      paths.add(binding.httpMethod, toPath(method.input, binding.template), operation);
    }
  }
  return {
    openapi: '3.1.0',
    info: options.info,
    servers: [{ url: '/' }],
    tags: services.map((service) => ({ name: service.name, description: comments.of(service) })),
    security: [{ bearer: [] }],
    paths: paths.all,
    components: {
      schemas: schemas.components(),
      responses: { Error: { description: 'Any other error.', content: { 'application/json': { schema: status } } } },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

class Paths {
  readonly all: Record<string, Record<string, Operation>> = {};
  /** Paths by their form without the names of variables. */
  readonly #shapes = new Map<string, string>();

  add(httpMethod: string, path: string, operation: Operation): void {
    const method = httpMethod.toLowerCase();
    if (!describable.has(method)) throw new Error(`${operation.operationId}: OpenAPI has no method ${httpMethod}`);
    const shape = path.replace(/\{[^}]*\}/g, '{}');
    const known = this.#shapes.get(shape) ?? path;
    if (known !== path || this.all[path]?.[method]) {
      throw new Error(`${operation.operationId}: OpenAPI cannot tell ${path} from ${known}`);
    }
    this.#shapes.set(shape, path);
    this.all[path] = { ...this.all[path], [method]: operation };
  }
}

const describable = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

function missing(kind: string, name: string): never {
  throw new Error(`there is no ${kind} ${name}`);
}

/** Returns JSON names by proto names, for names that differ and for which all fields of that name agree. */
function jsonNames(registry: FileRegistry): Map<string, string> {
  const names = new Map<string, Set<string>>();
  for (const desc of registry) {
    if (desc.kind !== 'message') continue;
    for (const { name, jsonName } of desc.fields) names.set(name, (names.get(name) ?? new Set()).add(jsonName));
  }
  return new Map([...names].flatMap(([name, [jsonName, other]]) => (jsonName && !other ? [[name, jsonName]] : [])));
}

/** Returns the messages and every message that their fields refer to, directly or indirectly. */
function messagesBelow(roots: readonly DescMessage[]): Set<DescMessage> {
  const found = new Set<DescMessage>();
  const visit = (desc: DescMessage) => {
    if (found.has(desc)) return;
    found.add(desc);
    for (const { message } of desc.fields) if (message) visit(message);
  };
  for (const desc of roots) visit(desc);
  return found;
}
