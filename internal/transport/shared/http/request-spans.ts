import type { IncomingHttpHeaders } from 'node:http';
import { type Span, Tags } from 'opentracing';
import { tagFailure } from '../../../client/tracing/trace-calls.ts';
import { contextOf, spanIn, traceContextFrom, traceHeaders } from '../../../client/tracing/trace-context.ts';
import type { Tracing } from '../../../client/tracing/tracing.ts';

/** How an HTTP request was answered. */
export interface Answered {
  method: string;
  /** The path with placeholders; undefined if there is no such route. */
  route: string | undefined;
  /** Undefined if the client has disconnected before. */
  status: number | undefined;
  /** The client's address and port. */
  client: string;
}

/** What opens the spans of requests. */
export type RequestTracing = Pick<Tracing, 'tracer' | 'isSampled'>;

/**
 * Opens the span of an HTTP request, which may open a WebSocket, and puts its context in the place of the client's, so that the call goes on from it. Returns
 * undefined if the trace is not recorded.
 */
export function beginRequest(
  { tracer, isSampled }: RequestTracing,
  method: string,
  headers: IncomingHttpHeaders,
): Span | undefined {
  const context = traceContextFrom((name) => headers[name]?.toString());
  const span = tracer.startSpan(method, {
    ...(context && { childOf: spanIn(tracer, context) }),
    tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER },
  });
  for (const name of traceHeaders) delete headers[name];
  Object.assign(headers, contextOf(span));
  return isSampled(span.context()) ? span : undefined;
}

/** Finishes the span of a request. Its attributes are those of OpenTelemetry's conventions for HTTP servers. */
export function finishRequest(span: Span, { method, route, status, client }: Answered): void {
  if (route !== undefined) span.setOperationName(`${method} ${route}`);
  span.addTags({
    'http.request.method': method,
    'client.address': client,
    ...(route !== undefined && { 'http.route': route }),
    ...(status !== undefined && { 'http.response.status_code': status }),
  });
  if (status !== undefined && status >= 500) tagFailure(span, String(status));
  span.finish();
}
