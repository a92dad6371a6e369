import {
  createFileRegistry,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  type JsonWriteOptions,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { httpBindings } from './http-rule.ts';
import { MessageChecks } from './message-checks.ts';
import { RequestDecoder } from './request-decoder.ts';
import type { Route, RouteMatch } from './route.ts';
import { RouteTree } from './route-tree.ts';
import { statusJson } from './status-json.ts';
import { UnsetMessages } from './unset-messages.ts';

export { BadInput, type FieldViolation } from './bad-input.ts';
export type { Route, RouteMatch } from './route.ts';

/**
 * Translates between HTTP with JSON and the methods of gRPC services, by their `google.api.http` rules and as grpc-gateway does.
 *
 * Does no I/O. It finds the method of a request, creates its request message, and writes the JSON of responses and errors.
 */
export class Transcoder {
  readonly routes: readonly Route[];
  readonly #registry: FileRegistry;
  readonly #tree = new RouteTree();
  readonly #decoders = new Map<Route, RequestDecoder>();
  readonly #unset = new UnsetMessages();
  readonly #writeOptions: Partial<JsonWriteOptions>;

  /**
   * `descriptors` is an encoded google.protobuf.FileDescriptorSet with all imports, `services` are full names. Methods without a rule are
   * omitted. Throws an Error if a service is missing or a rule cannot be served: a path field that does not exist, is bound twice, is
   * repeated or is a message; a streaming method; two routes that match the same requests.
   */
  static create(descriptors: Uint8Array, services: readonly string[]): Transcoder {
    return new Transcoder(createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors)), services);
  }

  private constructor(registry: FileRegistry, services: readonly string[]) {
    this.#registry = registry;
    this.#writeOptions = { registry, alwaysEmitImplicit: true };
    this.routes = services.flatMap((name) => {
      const service = registry.getService(name);
      if (!service) throw new Error(`there is no service ${name}`);
      return service.methods.flatMap((method) => routesOf(method, registry));
    });
    const checks = new MessageChecks(registry);
    for (const route of this.routes) {
      try {
        this.#decoders.set(route, new RequestDecoder(route.method.input, route.binding, checks, registry));
        checkResponse(route);
      } catch (error) {
        throw new Error(`${route.rpc}: ${(error as Error).message}`, { cause: error });
      }
      this.#tree.add(route);
    }
  }

  /** Finds the route of a request. `path` is raw: percent-encoded, without the query. `HEAD` finds the route of `GET`. */
  match(httpMethod: string, path: string): RouteMatch {
    return this.#tree.match(httpMethod, path);
  }

  /**
   * Returns the encoded request message. `variables` are those of the match, `query` is raw, without the question mark, and `body` is the JSON
   * text; empty or undefined means no body. Throws BadInput with every invalid field.
   */
  decodeRequest(
    route: Route,
    variables: ReadonlyMap<string, string>,
    query: string,
    body: string | undefined,
  ): Uint8Array {
    const decoder = this.#decoders.get(route);
    if (!decoder) throw new Error(`${route.rpc} is no route of this transcoder`);
    return decoder.decode(variables, query, body);
  }

  /** Returns the JSON text of an encoded response, with unset fields. Throws an Error if the bytes are not a message of the type. */
  encodeResponse({ method, binding }: Route, bytes: Uint8Array): string {
    const json = toJson(method.output, fromBinary(method.output, bytes), this.#writeOptions);
    this.#unset.writeNulls(method.output, json);
    if (binding.responseBody === '') return JSON.stringify(json);
    const field = method.output.fields.find(({ name }) => name === binding.responseBody)!;
    return JSON.stringify((json as Record<string, unknown>)[field.jsonName] ?? null);
  }

  /**
   * Returns the JSON text of an error: `{"code", "message", "details"}`. `details` is an encoded google.rpc.Status, as in the trailer
   * `grpc-status-details-bin`. Never throws: a detail that cannot be read is shown in base64.
   */
  encodeStatus(status: { code: number; message: string; details?: Uint8Array }): string {
    return statusJson(status, this.#registry);
  }
}

function routesOf(method: DescMethod, registry: FileRegistry): Route[] {
  const rpc = `/${method.parent.typeName}/${method.name}`;
  const bindings = httpBindings(method, registry);
  if (bindings.length > 0 && method.methodKind !== 'unary')
    throw new Error(`${rpc} is a stream: it cannot have a rule`);
  return bindings.map((binding) => ({
    httpMethod: binding.httpMethod,
    template: binding.template,
    rpc,
    method,
    binding,
  }));
}

function checkResponse({ method, binding: { responseBody } }: Route): void {
  if (responseBody !== '' && !method.output.fields.some(({ name }) => name === responseBody)) {
    throw new Error(`response_body ${responseBody} is no field of ${method.output.typeName}`);
  }
}
