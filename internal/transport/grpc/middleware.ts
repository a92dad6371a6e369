import type { CallContext, Metadata, ServerMiddleware, ServerMiddlewareCall } from 'nice-grpc-common';
import type { Call, Interceptor } from '../../interceptor/call.ts';
import type { ClientAddress } from './client-address.ts';
import { MalformedRequest } from './decoding.ts';

/** What handlers find in their context. */
export interface CallExt {
  call: Call;
}

/** What handlers of streams find in theirs. All that they do must be done through `intercept`: until then nobody has asked who calls. */
export interface StreamExt extends CallExt {
  intercept: Interceptor;
}

/**
 * Puts the interceptors around every unary call of a nice-grpc server, and hands them to the handlers of streams, which pass through them
 * once: a generator around each would take a KiB for as long as its stream is open.
 */
export function toMiddleware(interceptor: Interceptor, clientAddress: ClientAddress): ServerMiddleware<StreamExt> {
  const unary: ServerMiddleware<StreamExt> = async function* unary(serverCall, context) {
    const call = toCall(serverCall, context, clientAddress);
    const run = async () => {
      const extended = { ...context, signal: call.signal, call };
      // Handlers of unary calls are in the middle of the interceptors already.
      const generator = serverCall.next(serverCall.request as never, extended as typeof extended & StreamExt);
      return (await generator.next()).value;
    };
    return (await interceptor(call, run)) as never;
  };
  return (serverCall, context) => {
    if (!serverCall.responseStream) return unary(serverCall, context);
    const call = toCall(serverCall, context, clientAddress);
    const extended: CallContext & StreamExt = { ...context, call, intercept: interceptor };
    return serverCall.next(serverCall.request as never, extended);
  };
}

function toCall(
  serverCall: ServerMiddlewareCall<unknown, unknown>,
  context: CallContext,
  clientAddress: ClientAddress,
): Call {
  const { path } = serverCall.method;
  const headers: Metadata = context.metadata;
  const request = serverCall.requestStream ? undefined : (serverCall.request as object);
  return {
    kind: serverCall.responseStream ? 'stream' : 'unary',
    path,
    method: path.slice(path.lastIndexOf('/') + 1),
    peer: clientAddress(context.peer, headers.get('x-forwarded-for')?.toString()),
    ...(request instanceof MalformedRequest ? { malformed: request.error } : { request }),
    signal: context.signal,
    traceId: '',
    header: (name) => headers.get(name)?.toString(),
    setResponseHeader: (name, value) => context.header.set(name, value),
    setTrailer: (name, value) => context.trailer.set(name, value),
  };
}
