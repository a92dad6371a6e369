import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span, SpanContext } from 'opentracing';

const none: readonly Span[] = [];
const scopes = new AsyncLocalStorage<{ spans: readonly Span[] }>();

/**
 * Returns the spans for which the current code runs, all of them recorded. Its own spans are children of the first and follow from the others. Empty: it
 * is not traced.
 */
export function activeSpans(): readonly Span[] {
  return scopes.getStore()?.spans ?? none;
}

/**
 * Runs `work` with the spans active. Code that outlives the work, such as a timer or a loop that serves other calls too, is no longer traced once the
 * work has settled.
 */
export async function withActiveSpans<T>(spans: readonly Span[], work: () => Promise<T>): Promise<T> {
  if (spans.length === 0 && !scopes.getStore()) return work();
  const scope = { spans };
  try {
    return await scopes.run(scope, work);
  } finally {
    scope.spans = none;
  }
}

/** The same for work that does not wait. */
export function withActiveSpansNow(spans: readonly Span[], work: () => void): void {
  const scope = { spans };
  try {
    scopes.run(scope, work);
  } finally {
    scope.spans = none;
  }
}

/** Returns a function that runs `work` with the spans that are active now. Events of a connection, which many calls share, have no spans of their own. */
export function keepActiveSpans(work: () => void): () => void {
  return activeSpans().length === 0 ? work : AsyncLocalStorage.bind(work);
}

/** The ids of a span as log lines have them; empty without one. */
export function idsOf(span: Span | undefined): { traceId?: string; spanId?: string } {
  if (!span) return {};
  const context = span.context();
  return { traceId: traceIdOf(context), spanId: context.toSpanId().padStart(16, '0') };
}

/** The trace id in full length, as collectors show it: jaeger-client leaves out leading zeros. Empty if nothing is traced. */
export function traceIdOf(context: SpanContext): string {
  const traceId = context.toTraceId();
  return traceId === '' ? '' : traceId.padStart(32, '0');
}
