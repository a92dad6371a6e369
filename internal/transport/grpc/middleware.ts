import type { CallContext, ServerMiddleware, ServerMiddlewareCall } from 'nice-grpc-common';
import type { Span } from 'opentracing';
import type { Call, Interceptor } from '../../interceptor/call.ts';
import type { ChatError } from '../../model/errors.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';
import type { Principal } from '../../model/principal.ts';
import type { ClientAddress } from '../shared/calls/client-address.ts';
import { MalformedRequest } from '../shared/calls/decoding.ts';
import type { StreamExt } from '../shared/operations/served-service.ts';

/**
 * Runs the interceptors around every unary call of a nice-grpc server. For a stream, `served` runs them: a generator here would cost 1 KiB for
 * as long as the stream is open.
 */
export function toMiddleware(interceptor: Interceptor, clientAddress: ClientAddress): ServerMiddleware<StreamExt> {
  const unary: ServerMiddleware<StreamExt> = async function* unary(serverCall, context) {
    const call = new GrpcCall(serverCall, context, clientAddress);
    const run = async () => {
      const extended = { ...context, signal: call.signal as AbortSignal, call };
      // A unary call needs no StreamExt: its interceptors are running here.
      const generator = serverCall.next(serverCall.request as never, extended as typeof extended & StreamExt);
      return (await generator.next()).value;
    };
    return (await interceptor(call, run)) as never;
  };
  return (serverCall, context) => {
    if (!serverCall.responseStream) return unary(serverCall, context);
    const call = new GrpcCall(serverCall, context, clientAddress);
    const extended: CallContext & StreamExt = { ...context, call, intercept: interceptor };
    return serverCall.next(serverCall.request as never, extended);
  };
}

/** The interceptors' view of a gRPC call. A class, because a closure per call would hold memory while a stream is open. */
class GrpcCall implements Call {
  readonly kind: 'unary' | 'stream';
  readonly path: string;
  readonly method: string;
  readonly peer: string;
  readonly request?: object;
  readonly malformed?: ChatError;
  signal: LightAbortSignal;
  traceId = '';
  span?: Span;
  begun?: number;
  principal?: Principal;
  readonly #context: CallContext;

  constructor(
    { method, request, requestStream, responseStream }: ServerMiddlewareCall<unknown, unknown>,
    context: CallContext,
    clientAddress: ClientAddress,
  ) {
    this.#context = context;
    this.kind = responseStream ? 'stream' : 'unary';
    this.path = method.path;
    this.method = method.path.slice(method.path.lastIndexOf('/') + 1);
    this.peer = clientAddress(context.peer, this.header('x-forwarded-for'));
    this.signal = context.signal;
    if (request instanceof MalformedRequest) this.malformed = request.error;
    else if (!requestStream) this.request = request as object;
  }

  header(name: string): string | undefined {
    return this.#context.metadata.get(name)?.toString();
  }

  setResponseHeader(name: string, value: string): void {
    this.#context.header.set(name, value);
  }

  setTrailer(name: string, value: Uint8Array): void {
    this.#context.trailer.set(name, value);
  }
}
