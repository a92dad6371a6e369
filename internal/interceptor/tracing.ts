import { randomBytes } from 'node:crypto';
import { ServerError, Status } from 'nice-grpc-common';
import { FORMAT_HTTP_HEADERS, type Span, Tags, type Tracer } from 'opentracing';
import { withActiveSpans } from '../client/tracing/active-spans.ts';
import { tagError } from '../client/tracing/trace-calls.ts';
import type { Call, Interceptor } from './call.ts';

/** `00-<trace id>-<span id>-<flags>`. Source: https://www.w3.org/TR/trace-context/ */
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
const propagated = ['traceparent', 'tracestate', 'uber-trace-id'];

/** Opens a span for each call. Answers with the trace id in `x-trace-id`: the tracer's, else the caller's, else a new one. */
export function tracing(tracer: Tracer): Interceptor {
  return (call, next) => {
    const carrier = Object.fromEntries(
      propagated.map((name) => [name, call.header(name)]).filter(([, value]) => value),
    );
    const parent = tracer.extract(FORMAT_HTTP_HEADERS, carrier) ?? undefined;
    const span = tracer.startSpan(call.path.slice(1), {
      childOf: parent,
      tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER, [Tags.COMPONENT]: 'grpc', [Tags.PEER_ADDRESS]: call.peer },
    });
    const traceId = span.context().toTraceId();
    const callers = traceparent.exec(call.header('traceparent') ?? '')?.[1];
    call.span = span;
    call.traceId = traceId || callers || randomBytes(16).toString('hex');
    call.setResponseHeader('x-trace-id', call.traceId);
    // Only the spans of NoTracing have no trace id.
    return traceId ? inSpan(span, call, next) : next();
  };
}

async function inSpan(span: Span, call: Call, next: () => Promise<unknown>): Promise<unknown> {
  try {
    return await withActiveSpans([span], next);
  } catch (error) {
    // A client that disconnects is not an error of the service.
    if (!(error instanceof ServerError && error.code === Status.CANCELLED)) tagError(span, error);
    throw error;
  } finally {
    if (call.principal) span.setTag('user.id', call.principal.userId);
    span.finish();
  }
}
