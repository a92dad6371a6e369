import type { CallContext, Metadata, ServerMiddleware, ServerMiddlewareCall } from 'nice-grpc-common';
import { keepActiveSpans } from '../../client/tracing/active-spans.ts';
import type { Call, Interceptor } from '../../interceptor/call.ts';
import type { ClientAddress } from './client-address.ts';
import { MalformedRequest } from './decoding.ts';

/** What handlers find in their context. */
export interface CallExt {
  call: Call;
}

/**
 * Puts the interceptors around every call of a nice-grpc server.
 *
 * One generator for all of them: a stream's frames pass through no more than this, however many interceptors there are.
 */
export function toMiddleware(interceptor: Interceptor, clientAddress: ClientAddress): ServerMiddleware<CallExt> {
  return async function* middleware(serverCall, context) {
    const call = toCall(serverCall, context, clientAddress);
    if (!serverCall.responseStream) {
      const run = async () => {
        const generator = serverCall.next(serverCall.request as never, { ...context, signal: call.signal, call });
        return (await generator.next()).value;
      };
      return (await interceptor(call, run)) as never;
    }
    const opened = Promise.withResolvers<AsyncIterable<unknown>>();
    const ended = Promise.withResolvers<void>();
    // Told by the interceptors, unless they refused the stream before it was opened.
    ended.promise.catch(() => {});
    const whole = interceptor(call, async () => {
      opened.resolve(keepActiveSpans(serverCall.next(serverCall.request as never, { ...context, call })));
      await ended.promise;
    });
    whole.catch(opened.reject);
    try {
      yield* (await opened.promise) as AsyncIterable<never>;
    } catch (error) {
      ended.reject(error);
    } finally {
      ended.resolve();
    }
    await whole;
    return undefined as never;
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
