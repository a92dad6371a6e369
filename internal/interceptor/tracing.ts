import { randomUUID } from 'node:crypto';
import { ServerError } from 'nice-grpc-common';
import { type Span, Tags } from 'opentracing';
import { traceIdOf, withActiveSpans } from '../client/tracing/active-spans.ts';
import { tagFailure } from '../client/tracing/trace-calls.ts';
import { spanIn, traceContextFrom } from '../client/tracing/trace-context.ts';
import type { Tracing } from '../client/tracing/tracing.ts';
import { toTraceparent } from '../client/tracing/uber-trace-id.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { Call, Interceptor } from './call.ts';
import { codeOf, serviceOf } from './metrics.ts';

/** `00-<trace id>-<span id>-<flags>`. Source: https://www.w3.org/TR/trace-context/ */
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/**
 * Opens a span for each call. Answers with the trace id in `x-trace-id`: the tracer's, else the caller's, else a new one. A call whose trace is not recorded
 * pays nothing further: no span is active in it.
 */
export function tracing({ tracer, isSampled }: Pick<Tracing, 'tracer' | 'isSampled'>): Interceptor {
  return (call, next) => {
    const context = traceContextFrom((name) => call.header(name));
    const span = tracer.startSpan(call.path.slice(1), {
      ...(context && { childOf: spanIn(tracer, context) }),
      tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER },
    });
    call.traceId = traceIdOf(span.context()) || callersTraceId(context) || newTraceId();
    call.setResponseHeader('x-trace-id', call.traceId);
    if (!isSampled(span.context())) return next();
    call.span = span;
    return inSpan(span, call, next);
  };
}

/** Node keeps random bytes for UUIDs in store, so that one costs a fraction of fresh bytes. */
function newTraceId(): string {
  return randomUUID().replaceAll('-', '');
}

function callersTraceId(context: TraceContext | undefined): string | undefined {
  return traceparent.exec(context?.traceparent ?? toTraceparent(context?.['uber-trace-id']) ?? '')?.[1];
}

async function inSpan(span: Span, call: Call, next: () => Promise<unknown>): Promise<unknown> {
  let failure: unknown;
  try {
    return await withActiveSpans([span], next);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const code = codeOf(call, failure);
    span.addTags({
      'rpc.system': 'grpc',
      'rpc.service': serviceOf(call),
      'rpc.method': call.method,
      'rpc.response.status_code': code,
      'client.address': call.peer,
      ...(call.principal && { 'user.id': call.principal.userId }),
    });
    // A client that disconnects is not an error of the service. Only an error that is made for the client has a message for others.
    if (failure !== undefined && code !== 'CANCELLED') {
      tagFailure(span, code, failure instanceof ServerError ? failure.details : undefined);
    }
    span.finish();
  }
}
