import { AuthServiceDefinition } from '../../api/auth/v1/auth.ts';
import { ChatServiceDefinition } from '../../api/chat/v1/chat.ts';
import { restRoutes } from '../../api/rest-routes.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { codeOfHttpStatus } from '../errors/http-status.ts';
import { errorFromStatus } from '../errors/status.ts';
import { statusFromJson } from '../errors/status-json.ts';
import { toHttp } from './rest-request.ts';
import type { AuthCalls, ChatCalls } from './transport.ts';

/** Deadline of a call in milliseconds. */
const callTimeoutMs = 10_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Creates the unary calls over REST with JSON. `baseUrl` must not end in a slash. */
export function restCalls(baseUrl: string, fetchFrom: Fetch): { chat: ChatCalls; auth: AuthCalls } {
  const chat = toCalls(ChatServiceDefinition, baseUrl, fetchFrom);
  const auth = toCalls(AuthServiceDefinition, baseUrl, fetchFrom);
  return { chat: chat as unknown as ChatCalls, auth: auth as unknown as AuthCalls };
}

interface ServiceDefinition {
  fullName: keyof typeof restRoutes;
  methods: Record<string, { requestType: unknown; responseType: unknown }>;
}

interface JsonCodec {
  fromPartial(partial: object): object;
  toJSON(message: object): unknown;
  fromJSON(json: unknown): object;
}

type Call = (request: object, options: { token?: string; signal?: AbortSignal }) => Promise<object>;

function toCalls({ fullName, methods }: ServiceDefinition, baseUrl: string, fetchFrom: Fetch): Record<string, Call> {
  const calls = Object.entries(restRoutes[fullName]).map(([name, route]): [string, Call] => {
    const [requestType, responseType] = [methods[name]?.requestType, methods[name]?.responseType] as JsonCodec[];
    const call: Call = async (partial, { token, signal }) => {
      const { path, body } = toHttp(route, toJson(requestType!, partial));
      const headers: Record<string, string> = { accept: 'application/json' };
      if (body !== undefined) headers['content-type'] = 'application/json';
      if (token !== undefined) headers.authorization = `Bearer ${token}`;
      const init: RequestInit = { method: route.method, headers, body, cache: 'no-store', credentials: 'omit' };
      const { status, text } = await exchange(`${baseUrl}${path}`, init, signal, fetchFrom);
      if (status !== 200) throw toError(status, text);
      return fromJson(responseType!, text);
    };
    return [name, call];
  });
  return Object.fromEntries(calls);
}

/** A request with an unknown enum number has no JSON form; it is sent unchanged, and the service reports the invalid field. */
function toJson(type: JsonCodec, partial: object): Record<string, unknown> {
  const message = type.fromPartial(partial) as Record<string, unknown>;
  try {
    return type.toJSON(message) as Record<string, unknown>;
  } catch {
    return message;
  }
}

function fromJson(type: JsonCodec, text: string): object {
  try {
    return type.fromJSON(JSON.parse(text));
  } catch (cause) {
    throw new ChatClientError(`the answer cannot be read: ${text.slice(0, 200)}`, { code: 'INTERNAL', cause });
  }
}

async function exchange(
  url: string,
  init: RequestInit,
  signal: AbortSignal | undefined,
  fetchFrom: Fetch,
): Promise<{ status: number; text: string }> {
  const deadline = AbortSignal.timeout(callTimeoutMs);
  try {
    const response = await fetchFrom(url, { ...init, signal: signal ? AbortSignal.any([signal, deadline]) : deadline });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const code = signal?.aborted ? 'CANCELLED' : deadline.aborted ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
    throw new ChatClientError((error as Error).message, { code, cause: error });
  }
}

function toError(httpStatus: number, text: string): ChatClientError {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The answer is not the service's but a proxy's, for example an HTML page.
  }
  if (typeof (json as { code?: unknown } | undefined)?.code === 'number') return errorFromStatus(statusFromJson(json));
  return new ChatClientError(`HTTP ${httpStatus}: ${text.slice(0, 200)}`, { code: codeOfHttpStatus(httpStatus) });
}
