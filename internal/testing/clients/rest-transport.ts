import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { AuthServiceDefinition } from '../../../pkg/api/auth/v1/auth.ts';
import { ChatServiceDefinition } from '../../../pkg/api/chat/v1/chat.ts';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { AuthCalls, ChatCalls, Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { type HttpBinding, httpBindings } from '../../../pkg/transcoder/http-rule.ts';
import { expandPath } from '../../../pkg/transcoder/path-values.ts';

/** The HTTP request and response of one unary call. */
export interface Exchange {
  /** `/chat.v1.ChatService/CreateChat`. */
  rpc: string;
  /** `path` is percent-encoded and includes the query. */
  request: { method: string; path: string; headers: Record<string, string>; body?: string };
  response: { status: number; headers: Record<string, string>; body: string };
}

export interface RestTransportOptions {
  /** Opens streams. REST has none, so this is the `connect` of a gRPC transport. */
  connect: Transport['connect'];
  /** Called for each exchange. If it throws, the call fails with that error. */
  onExchange?: (exchange: Exchange) => void;
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch;
}

/** The longest time of a call, in milliseconds. */
const callTimeoutMs = 60_000;

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(new URL('../../../pkg/api/descriptors.binpb', import.meta.url))),
);

/**
 * Creates a transport over REST with JSON: each unary call uses the first `google.api.http` binding of its method, with the names of canonical JSON, also
 * in the query. A call with an empty field in its path is refused locally, with the error that the service gives for it over gRPC. `close` does not close
 * the streams' transport.
 */
export function restTransport(baseUrl: string, options: RestTransportOptions): Transport {
  return {
    chat: toCalls(ChatServiceDefinition, baseUrl, options) as unknown as ChatCalls,
    auth: toCalls(AuthServiceDefinition, baseUrl, options) as unknown as AuthCalls,
    connect: options.connect,
    close: () => {},
  };
}

interface MethodDefinition {
  name: string;
  requestType: { fromPartial(partial: object): unknown; encode(message: never): { finish(): Uint8Array } };
  responseType: { decode(bytes: Uint8Array): unknown };
}

interface ServiceDefinition {
  fullName: string;
  methods: Record<string, MethodDefinition>;
}

type Call = (request: object, options: { token?: string; signal?: AbortSignal }) => Promise<unknown>;

function toCalls(service: ServiceDefinition, baseUrl: string, options: RestTransportOptions): Record<string, Call> {
  const calls: Record<string, Call> = {};
  for (const [key, definition] of Object.entries(service.methods)) {
    const method = registry.getService(service.fullName)?.methods.find(({ name }) => name === definition.name);
    const binding = method && httpBindings(method, registry)[0];
    if (binding) calls[key] = toCall(definition, method, binding, baseUrl, options);
  }
  return calls;
}

function toCall(
  { requestType, responseType }: MethodDefinition,
  method: DescMethod,
  binding: HttpBinding,
  baseUrl: string,
  options: RestTransportOptions,
): Call {
  const rpc = `/${method.parent.typeName}/${method.name}`;
  return async (partial, { token, signal }) => {
    const bytes = requestType.encode(requestType.fromPartial(partial) as never).finish();
    const { path, body } = toHttp(method.input, binding, bytes);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const request = { method: binding.httpMethod, path, headers, body };
    const response = await exchange(baseUrl, request, signal, options.fetch ?? fetch);
    options.onExchange?.({ rpc, request, response });
    if (response.status !== 200) throw toError(response);
    const json = JSON.parse(response.body) as JsonValue;
    return responseType.decode(toBinary(method.output, fromJson(method.output, json, { registry })));
  };
}

type Json = { [name: string]: JsonValue };

/** Converts a request to path, query and body, with the names of canonical JSON. */
function toHttp(
  input: DescMessage,
  { template, body }: HttpBinding,
  bytes: Uint8Array,
): { path: string; body?: string } {
  const json = toJson(input, fromBinary(input, bytes), { registry }) as Json;
  const path = expandPath(template, (fieldPath) => {
    const value = String(take(json, jsonNames(input, fieldPath)) ?? '');
    if (value === '') throw emptyField(fieldPath);
    return value;
  });
  if (body === '*') return { path, body: JSON.stringify(json) };
  const inBody = body === '' ? undefined : take(json, jsonNames(input, body));
  const query = new URLSearchParams(queryOf(json)).toString();
  return { path: query ? `${path}?${query}` : path, body: inBody === undefined ? undefined : JSON.stringify(inBody) };
}

/** The error that the service gives over gRPC. Over REST, a path with an empty part matches another route or none. */
function emptyField(field: string): ChatClientError {
  const violations = [{ field, description: 'must not be empty: it is a part of the path' }];
  return new ChatClientError('invalid fields', { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', violations });
}

function jsonNames(desc: DescMessage, fieldPath: string): string[] {
  let message: DescMessage | undefined = desc;
  return fieldPath.split('.').map((part) => {
    const field = message?.fields.find(({ name }) => name === part);
    message = field?.message;
    return field?.jsonName ?? part;
  });
}

/** Removes a value from JSON and returns it. */
function take(json: Json, [name, ...rest]: readonly string[]): JsonValue | undefined {
  const value = json[name!];
  if (rest.length > 0) return value === undefined ? undefined : take(value as Json, rest);
  delete json[name!];
  return value;
}

function queryOf(json: Json, prefix = ''): [string, string][] {
  return Object.entries(json).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return queryOf(value, `${prefix}${name}.`);
    return [value].flat().map((item) => [prefix + name, String(item)]);
  });
}

async function exchange(
  baseUrl: string,
  request: Exchange['request'],
  signal: AbortSignal | undefined,
  fetchFrom: typeof fetch,
): Promise<Exchange['response']> {
  const deadline = AbortSignal.timeout(callTimeoutMs);
  try {
    const response = await fetchFrom(baseUrl.replace(/\/$/, '') + request.path, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
  } catch (error) {
    const code = signal?.aborted ? 'CANCELLED' : deadline.aborted ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
    const { message } = error as Error;
    throw new ChatClientError(message, { code, cause: error });
  }
}

function toError({ status, body }: Exchange['response']): ChatClientError {
  const desc = registry.getMessage('google.rpc.Status')!;
  try {
    const bytes = toBinary(desc, fromJson(desc, JSON.parse(body) as JsonValue, { registry }));
    return errorFromStatus(Status.decode(bytes));
  } catch (cause) {
    return new ChatClientError(`HTTP ${status}: ${body.slice(0, 1_000)}`, { code: 'UNKNOWN', cause });
  }
}
