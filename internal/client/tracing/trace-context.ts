import { FORMAT_HTTP_HEADERS, type Span, type SpanContext, type Tracer } from 'opentracing';
import type { TraceContext } from '../../model/trace-context.ts';
import { activeSpans } from './active-spans.ts';

/** The headers of which one continues a trace: those of W3C, and Jaeger's. */
export const traceHeaders = ['traceparent', 'tracestate', 'uber-trace-id'] as const;

/** The context in which another process goes on, in the form of the span's tracer. */
export function contextOf(span: Span): TraceContext {
  const context: Record<string, string> = {};
  span.tracer().inject(span, FORMAT_HTTP_HEADERS, context);
  return context;
}

/** Returns the span that a context names; undefined if it names none. */
export function spanIn(tracer: Tracer, context: TraceContext): SpanContext | undefined {
  return tracer.extract(FORMAT_HTTP_HEADERS, context) ?? undefined;
}

/** Collects the trace headers of a request; undefined if it has none. */
export function traceContextFrom(header: (name: string) => string | undefined): TraceContext | undefined {
  let context: Record<string, string> | undefined;
  for (const name of traceHeaders) {
    const value = header(name);
    if (!value) continue;
    context ??= {};
    context[name] = value;
  }
  return context;
}

/** Names the chat in the active span. Returns the context of that span for what is stored or sent to the chat; empty if the code is not traced. */
export function traceOf({ chatId }: { chatId: string }): { trace?: TraceContext } {
  const [span] = activeSpans();
  if (!span) return {};
  span.setTag('chat.id', chatId);
  return { trace: contextOf(span) };
}
