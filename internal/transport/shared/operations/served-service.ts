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

/** What handlers of unary calls find in their context. The interceptors have let the call through. */
export interface CallExt {
  call: Call;
}

/** What `served` finds in the context of a stream, which has not passed the interceptors yet. */
export interface StreamExt extends CallExt {
  intercept: Interceptor;
}

/** Carries out a unary call. */
export type UnaryHandler = (request: object, context: CallContext & CallExt) => Promise<unknown>;

/** A handler for each row of a table of operations. */
export type UnaryHandlers<Table> = { [M in keyof Table]: UnaryHandler };

/** One open stream. The interceptors have let it through: its caller is known. */
export interface OpenStream<Request> {
  call: Call;
  requests: AsyncIterable<Request>;
  /** Sends an encoded response; the promise resolves when there is room for another. */
  write: FrameWriter;
  /** Aborts when the client has gone. The handler may abort it, to end in spite of a client that reads nothing. */
  gone: LightAbortController;
}

/** Carries out a stream, from its opening to its end; what it throws ends the stream. */
export type StreamHandler<Request = never> = (stream: OpenStream<Request>) => Promise<void>;

/** A service of the contract and the handlers of its methods, whichever transport the calls come by. */
export interface ServedService {
  definition: { name: string; fullName: string; methods: Record<string, ServedMethod> };
  unary: Readonly<Record<string, UnaryHandler>>;
  /** For nice-grpc. */
  handlers: ServiceImplementation<TsProtoServiceDefinition, StreamExt>;
}

type Methods<Definition extends TsProtoServiceDefinition, Streams extends boolean> = {
  [M in keyof Definition['methods']]: Definition['methods'][M]['responseStream'] extends Streams ? M : never;
}[keyof Definition['methods']];

/**
 * Ties a service to handlers of exactly its methods. Streams pass the interceptors, and so authentication, here: a handler of a stream cannot be
 * reached without.
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
