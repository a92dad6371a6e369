import type { BinaryReader } from '@bufbuild/protobuf/wire';
import type { ServiceImplementation, TsProtoServiceDefinition } from 'nice-grpc';
import type { CallContext } from 'nice-grpc-common';
import type { Call, Interceptor } from '../../../interceptor/call.ts';
import type { LightAbortController } from '../../../model/light-abort.ts';
import { frameIterator } from '../../../service/sessions/frame-iterator.ts';
import type { FrameWriter } from '../../../service/sessions/frame-sender.ts';

/** A message type as ts-proto generates it. */
interface Codec {
  decode(input: BinaryReader | Uint8Array, length?: number): object;
  encode(message: unknown): { finish(): Uint8Array };
  fromPartial(message: unknown): unknown;
}

export interface ServedMethod {
  name: string;
  requestType: Codec;
  requestStream: boolean;
  responseType: Codec;
  responseStream: boolean;
  options: object;
}

/** The addition to the context of unary handlers. The interceptors have run, so the caller is authenticated. */
export interface CallExt {
  call: Call;
}

/** The addition to the context of a stream. The interceptors have not run yet: `served` runs them. */
export interface StreamExt extends CallExt {
  intercept: Interceptor;
}

/** Carries out a unary call. */
export type UnaryHandler = (request: object, context: CallContext & CallExt) => Promise<unknown>;

/** A handler for each row of a table of operations. */
export type UnaryHandlers<Table> = { [M in keyof Table]: UnaryHandler };

/** One open stream. The interceptors have run, so the caller is authenticated. */
export interface OpenStream<Request> {
  call: Call;
  requests: AsyncIterable<Request>;
  /** Sends an encoded response. Returns a promise, which resolves when there is room for another, if the client reads too slowly. */
  write: FrameWriter;
  /** Aborts when the client disconnects. The handler may abort it to end the stream although the client reads nothing. */
  gone: LightAbortController;
}

/** Carries out a stream, from its opening to its end; what it throws ends the stream. */
export type StreamHandler<Request = never> = (stream: OpenStream<Request>) => Promise<void>;

/** A service of the contract with the handlers of its methods, for every transport. */
export interface ServedService {
  definition: { name: string; fullName: string; methods: Record<string, ServedMethod> };
  unary: Readonly<Record<string, UnaryHandler>>;
  /** All handlers, unary and streams, in nice-grpc's form. */
  handlers: ServiceImplementation<TsProtoServiceDefinition, StreamExt>;
}

type Methods<Definition extends TsProtoServiceDefinition, Streams extends boolean> = {
  [M in keyof Definition['methods']]: Definition['methods'][M]['responseStream'] extends Streams ? M : never;
}[keyof Definition['methods']];

/**
 * Combines a service definition with the handlers of its methods; a missing handler does not compile. Runs the interceptors around every stream,
 * so that no stream reaches its handler without authentication.
 */
export function served<Definition extends TsProtoServiceDefinition>(
  definition: Definition,
  unary: Record<Methods<Definition, false>, UnaryHandler>,
  streams: Record<Methods<Definition, true>, StreamHandler<never>>,
): ServedService {
  const intercepted = Object.entries<StreamHandler<never>>(streams).map(([method, handle]) => [
    method,
    (requests: AsyncIterable<never>, { call, intercept, signal }: CallContext & StreamExt) =>
      frameIterator(
        (write, gone) => intercept(call, () => handle({ call, requests, write, gone })) as Promise<void>,
        signal,
      ),
  ]);
  const handlers = { ...unary, ...Object.fromEntries(intercepted) };
  return { definition, unary, handlers } as unknown as ServedService;
}
